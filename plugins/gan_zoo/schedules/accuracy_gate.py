"""A discriminator that waits while it is right too often."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Game, NextBatch, Schedule, distributed
from gan_zoo.ranges import require_share
from gan_zoo.schedules.both_sides import require_both_sides


class AccuracyGate(Schedule):
    """D is updated only if it was right on less than a share of its last batch; G is updated in every step.

    The rule of 3D-GAN (Wu et al. 2016, arXiv 1610.07584, section 3.1): right means a logit above 0 for real samples and
    below 0 for generated ones, and the last batch is the one of the step before, whether D was updated or not.

    Args:
        threshold: from this share on D waits; 0.8 in the paper.
    """

    last: Tensor

    def __init__(self, threshold: float) -> None:
        super().__init__()
        require_share(threshold=threshold)
        self.threshold = threshold
        self.register_buffer("last", torch.zeros(()))

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game has not both sides."""
        require_both_sides(game, "accuracy_gate")

    def step(self, game: Game, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step; `accuracy` is measured, and `discriminator_updated`, 1 or 0."""
        discriminators, generators, others = game.teams()
        batch = next_batch()
        meeting = game.meet(batch)
        opened = bool(self.last < self.threshold)
        told = meeting.detached()
        with torch.no_grad():
            found = [pair.outputs for pair in told.values() if pair.has_judge]
            right = torch.cat([torch.cat([real.scores > 0, fake.scores < 0]) for real, fake in found])
        self.last.copy_(distributed.mean(right.float().mean()))
        measured: dict[str, Tensor] = {}
        for player in discriminators if opened else []:
            measured |= player.play(meeting.detached())
        for i, player in enumerate([*generators, *others]):
            measured |= player.play(game.meet(batch) if i else meeting)
        return measured | {"accuracy": self.last.clone(), "discriminator_updated": self.last.new_tensor(float(opened))}
