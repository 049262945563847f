"""The gradient penalty of WGAN-GP, and what penalties between real and generated samples share."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Game, Pair, Player, try_meeting
from gan_zoo.terms.critic_gradient import CriticGradientPenalty, between
from gan_zoo.terms.sides import name_of


class PenaltyBetween(CriticGradientPenalty):
    """The base of penalties at points between real and generated samples."""

    def check(self, game: Game, player: Player) -> None:
        """See that the penalty reaches a discriminator, and that there is a generated sample for each real one.

        Raises:
            ConfigError: see `CriticGradientPenalty.check`, or the numbers of samples differ.
        """
        super().check(game, player)
        for pair in try_meeting(game).values():
            if len(pair.real) != len(pair.fake):
                raise ConfigError(
                    f"{name_of(self, player)} looks between real and generated samples, and {type(game).__name__} has "
                    f"{len(pair.real)} real and {len(pair.fake)} generated ones: choose r1"
                )

    def gradient(self, pair: Pair) -> Tensor:
        """Return the score's gradients (N, D) at points between this pair's samples, one for each pair of them."""
        factor = torch.rand(len(pair.real), device=pair.real.device, dtype=pair.real.dtype)
        points = between(pair.real, pair.fake, factor)
        given = [between(real, fake, factor) for real, fake in zip(pair.real_given, pair.fake_given, strict=True)]
        return pair.gradient_at(points, pair.real_labels, *given)


class GradientPenalty(PenaltyBetween):
    """E (‖∇D(x̂)‖ - 1)², x̂ between real and generated samples (Gulrajani et al. 2017, arXiv 1704.00028, equation 3).

    Args:
        one_sided: penalise only norms above 1 (section 4, "two-sided penalty"), which is the penalty of WGAN-LP (Petzka
            et al. 2018, arXiv 1709.08894).
        root_mean: hold the root of the mean squared entry of ∇D(x̂) at 1, and so its norm at √D, as Dist-GAN's program
            does (Tran et al. 2018, arXiv 1803.08887).
    """

    def __init__(self, one_sided: bool, root_mean: bool = False) -> None:
        super().__init__()
        self.one_sided = one_sided
        self.root_mean = root_mean

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the penalty at points between this pair's samples."""
        gradient = self.gradient(pair)
        norm: Tensor = torch.linalg.vector_norm(gradient, dim=1)
        excess = (norm / math.sqrt(gradient.shape[1]) if self.root_mean else norm) - 1
        if self.one_sided:
            excess = excess.clamp(min=0)
        return excess.square().mean()
