"""The gradient penalty of DRAGAN."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Pair, Player
from gan_zoo.ranges import require_above_zero
from gan_zoo.terms.critic_gradient import CriticGradientPenalty, between


class Dragan(CriticGradientPenalty):
    """E (‖∇D(x̂)‖ - 1)², x̂ near real samples (Kodali et al. 2017, arXiv 1705.07215, equation 2).

    As in the authors' program, x̂ lies on the line from x to x + scale * std * U, where std is the
    standard deviation of all pixels of the batch and U is uniform on [0, 1] in every pixel.

    Args:
        scale: how far perturbed samples lie from real ones, in standard deviations.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        require_above_zero(scale=scale)
        self.scale = scale

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the penalty at points around this pair's real samples."""
        real = pair.real
        perturbed = real + self.scale * real.std() * torch.rand_like(real)
        gradient = pair.gradient_at(between(real, perturbed), pair.real_labels, *pair.real_given)
        excess: Tensor = torch.linalg.vector_norm(gradient, dim=1) - 1
        return excess.square().mean()
