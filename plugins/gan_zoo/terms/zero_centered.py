"""The zero-centred gradient penalties R1 and R2."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Pair, Player
from gan_zoo.terms.critic_gradient import CriticGradientPenalty


def half_squared_norm(gradient: Tensor) -> Tensor:
    """Return half the mean squared norm of gradients (N, D)."""
    return 0.5 * gradient.square().sum(dim=1).mean()


class R1(CriticGradientPenalty):
    """½ E ‖∇D(x)‖² at real samples (Mescheder et al. 2018, arXiv 1801.04406, equation 9); its weight is γ."""

    differentiates = ("real",)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the penalty at this pair's real samples."""
        return half_squared_norm(pair.input_gradient("real"))


class R2(CriticGradientPenalty):
    """½ E ‖∇D(G(z))‖² at generated samples (Mescheder et al. 2018, arXiv 1801.04406, equation 10); its weight is γ."""

    differentiates = ("fake",)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the penalty at this pair's generated samples."""
        return half_squared_norm(pair.input_gradient("fake"))
