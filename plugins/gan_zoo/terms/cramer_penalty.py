"""The gradient penalty of Cramér GAN."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DiscriminatorOutput, Game, Pair, Player
from gan_zoo.losses.cramer import Cramer, paired
from gan_zoo.losses.vectors import vectors
from gan_zoo.terms.gradient_penalty import PenaltyBetween
from gan_zoo.terms.sides import name_of


class CramerPenalty(PenaltyBetween):
    """E (‖∇c(x̂)‖ - 1)², c the critic of `loss=cramer` (Bellemare et al. 2017, arXiv 1705.10743, Algorithm 1).

    x̂ lies between real and generated samples. The gradient is that of c and not of a score: c compares D's vectors with
    those of the update's own samples.
    """

    def check(self, game: Game, player: Player) -> None:
        """See that there is such a critic.

        Raises:
            ConfigError: see `PenaltyBetween.check`, or the loss is another.
        """
        super().check(game, player)
        if not isinstance(game.loss, Cramer):
            raise ConfigError(
                f"{name_of(self, player)} penalises the critic of loss=cramer, and the loss is "
                f"{type(game.loss).__name__}: choose gradient_penalty"
            )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the penalty at points between this pair's samples."""
        loss = self.game.loss
        assert isinstance(loss, Cramer)
        x, g = paired(*pair.outputs)
        judge = pair.judge.in_full_precision() if hasattr(pair.judge, "in_full_precision") else pair.judge

        def critic(points: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
            return DiscriminatorOutput(loss.critic(vectors("cramer", judge(points, labels, *given)), x, g))

        norms: Tensor = torch.linalg.vector_norm(self.gradient(pair.judged_by(critic)), dim=1)
        return (norms - 1).square().mean()
