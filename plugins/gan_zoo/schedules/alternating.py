"""Discriminator and generator in turn."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Batch, Game, NextBatch, Schedule, joined
from gan_zoo.ranges import require_positive


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
        g_batches: of so many batches a generator's update has the samples, drawn anew if more than one; with 2 it sees
            twice as many as the discriminator's, as in the program of SNGAN.
    """

    accumulates = True

    def __init__(self, d_steps: int, g_steps: int, share_fakes: bool, g_batches: int = 1) -> None:
        super().__init__()
        require_positive(d_steps=d_steps, g_steps=g_steps)
        require_positive(g_batches=g_batches)
        self.d_steps = d_steps
        self.g_steps = g_steps
        self.share_fakes = share_fakes
        self.g_batches = g_batches

    def step(self, game: Game, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step."""
        discriminators, generators, others = game.teams()
        measured: dict[str, Tensor] = {}
        shares = self.share_fakes and self.g_batches == 1
        seen: list[Batch] = []

        for i in range(self.d_steps):
            batch = next_batch()
            seen = [*seen, batch][-self.g_batches :]
            meeting = game.meet(batch, graph=shares and i == self.d_steps - 1)
            for player in discriminators:
                measured |= player.play(meeting.detached())

        while len(seen) < self.g_batches:
            seen.append(next_batch())
        batch = joined(seen)
        for i, player in enumerate([*generators * self.g_steps, *others]):
            if i > 0 or not shares:
                meeting = game.meet(batch)
            measured |= player.play(meeting)

        return measured
