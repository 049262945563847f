"""Discriminator and generator in turn."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Game, NextBatch, Schedule


class Alternating(Schedule):
    """d_steps updates of the discriminator, then g_steps of the generator (Goodfellow et al. 2014, Algorithm 1).

    Every discriminator update has a fresh real batch and a fresh generated one. Players on neither
    side are updated once, after the generator.

    Args:
        d_steps: updates of the discriminator in one step (k in Algorithm 1).
        g_steps: updates of the generator in one step.
        share_fakes: let the generator's first update reuse the samples of the discriminator's last, which
            saves a pass through the generator; if false, every update draws latents of its own, to the
            letter of Algorithm 1.
    """

    accumulates = True

    def __init__(self, d_steps: int, g_steps: int, share_fakes: bool) -> None:
        super().__init__()
        if d_steps < 1 or g_steps < 1:
            raise ValueError(f"d_steps={d_steps}, g_steps={g_steps}: both must be at least 1")
        self.d_steps = d_steps
        self.g_steps = g_steps
        self.share_fakes = share_fakes

    def step(self, game: Game, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step."""
        discriminators, generators, others = game.teams()
        measured: dict[str, Tensor] = {}

        for i in range(self.d_steps):
            batch = next_batch()
            meeting = game.meet(batch, graph=self.share_fakes and i == self.d_steps - 1)
            for player in discriminators:
                measured |= player.play(meeting.detached())

        for i, player in enumerate([*generators * self.g_steps, *others]):
            if i > 0 or not self.share_fakes:
                meeting = game.meet(batch)
            measured |= player.play(meeting)

        return measured
