"""Discriminator and generator in turn."""

from __future__ import annotations

from torch import Tensor

from gan_framework.core.contracts.schedule import Schedule
from gan_framework.core.game import Game
from gan_framework.core.records import Draw


class Alternating(Schedule):
    """The discriminator moves d_steps times, then the generator g_steps times (Goodfellow et al. 2014, Algorithm 1).

    Every discriminator move has a fresh real batch and a fresh generated one. Players on neither
    side of the adversarial loss move once, after the generator.

    Args:
        d_steps: moves of the discriminator in one iteration (k in Algorithm 1).
        g_steps: moves of the generator in one iteration.
        share_fakes: let the generator's first move reuse the samples that the discriminator moved on
            last, which saves a pass through the generator; if false, every move draws latents of its
            own, to the letter of Algorithm 1.
    """

    def __init__(self, d_steps: int, g_steps: int, share_fakes: bool) -> None:
        super().__init__()
        if d_steps < 1 or g_steps < 1:
            raise ValueError(f"d_steps={d_steps}, g_steps={g_steps}: both must be at least 1")
        self.d_steps = d_steps
        self.g_steps = g_steps
        self.share_fakes = share_fakes

    def step(self, game: Game, draw: Draw) -> dict[str, Tensor]:
        """Play one iteration."""
        discriminators, generators, others = game.sides()
        measured: dict[str, Tensor] = {}

        for i in range(self.d_steps):
            batch = draw()
            round = game.meet(batch, graph=self.share_fakes and i == self.d_steps - 1)
            for player in discriminators:
                seen = round.detached()
                measured |= player.play(seen)
                measured |= seen.logits()

        for i, player in enumerate([*generators * self.g_steps, *others]):
            if i > 0 or not self.share_fakes:
                round = game.meet(batch)
            measured |= player.play(round)

        return measured
