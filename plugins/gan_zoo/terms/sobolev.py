"""The constraint of Sobolev GAN."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Game, Pair, Player
from gan_zoo.augmented_lagrangian import AugmentedLagrangian
from gan_zoo.terms.critic_gradient import CriticGradientPenalty
from gan_zoo.terms.sides import require_one_pair
from gan_zoo.terms.zero_centered import half_squared_norm


class Sobolev(AugmentedLagrangian, CriticGradientPenalty):
    """A critic whose mean squared gradient is held at 1 (Mroueh et al. 2017, arXiv 1711.04894).

    With Ω = ½ E‖∇f(x)‖² + ½ E‖∇f(G(z))‖², the mean over both sides, the critic pays -λ (1 - Ω) + ½ ρ (Ω - 1)² beside
    the difference of its means (`loss=sobolev`), with weight 1. λ is a buffer that follows after each of its updates:
    λ - ρ (1 - Ω).

    Args:
        rho: ρ, the weight of the penalty and the step of the multiplier.
    """

    differentiates = ("real", "fake")

    def check(self, game: Game, player: Player) -> None:
        """See that the term reaches one critic, whose samples' gradients are their own.

        Raises:
            ConfigError: see `CriticGradientPenalty.check`; or there are several pairs, and one multiplier.
        """
        super().check(game, player)
        require_one_pair(self, game, player)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return what the critic pays for this pair's samples."""
        return self.constrain(mean_squared_gradient(pair))

    def after_update(self, pair: Pair, player: Player) -> None:
        """Move the multiplier, by the gradients of the update where they are kept."""
        with torch.enable_grad():
            moment = mean_squared_gradient(pair)
        self.follow(moment.detach())


def mean_squared_gradient(pair: Pair) -> Tensor:
    """Return Ω, the mean of both sides' mean squared norms of the score's gradient."""
    return half_squared_norm(pair.input_gradient("real")) + half_squared_norm(pair.input_gradient("fake"))
