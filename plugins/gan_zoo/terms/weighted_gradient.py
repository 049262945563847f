"""The gradient regulariser of Roth et al."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from gan_framework.api import AdversarialLoss, ConfigError, Game, Pair, Player
from gan_zoo.terms.critic_gradient import CriticGradientPenalty


class WeightedGradient(CriticGradientPenalty):
    """½ E (1 - D(x))² ‖∇f(x)‖² + ½ E D(G(z))² ‖∇f(G(z))‖² (Roth et al. 2017, arXiv 1705.09367), D = sigmoid f.

    What noise of the variance γ on both sides' samples would do, to first order; γ is the weight, which the paper lets
    fall to a hundredth over the run: `weight: {start: 2.0, end: 0.02, steps: 20000}` goes there along a line.
    """

    differentiates: ClassVar[tuple[str, ...]] = ("real", "fake")

    def check(self, game: Game, player: Player) -> None:
        """See that scores are logits of probabilities.

        Raises:
            ConfigError: see `CriticGradientPenalty.check`, or the loss has no probabilities.
        """
        super().check(game, player)
        loss: AdversarialLoss | None = game.loss
        if loss is None or not loss.probabilistic:
            raise ConfigError(
                f"weighted_gradient weighs by D's probabilities, and {type(loss).__name__} has none: choose "
                "loss=nonsaturating, or r1 with r2"
            )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the regulariser at both sides' samples."""
        real, fake = pair.outputs
        steep_real, steep_fake = (pair.input_gradient(side).square().sum(dim=1) for side in self.differentiates)
        taken_for_fake, taken_for_real = (-real.scores).sigmoid(), fake.scores.sigmoid()
        return ((taken_for_fake.square() * steep_real).mean() + (taken_for_real.square() * steep_fake).mean()) / 2
