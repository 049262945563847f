"""The gradient penalties of WGAN-div and of Lipschitz GANs."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Pair, Player
from gan_zoo.terms.gradient_penalty import PenaltyBetween


class GradientPower(PenaltyBetween):
    """E ‖∇D(x̂)‖^p, x̂ between real and generated samples: the Wasserstein divergence (Wu et al. 2018, arXiv 1712.01026).

    No bound on the norm: it is a part of the divergence, beside the Wasserstein loss; its weight is the paper's k = 2.

    Args:
        power: the paper's p.
    """

    def __init__(self, power: float) -> None:
        super().__init__()
        if not power > 1:
            raise ValueError(f"power={power}: it must be greater than 1")
        self.power = power

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the penalty at points between this pair's samples."""
        # A power of the norm: that of its square, below 1 for p < 2, has no gradient at 0.
        norms: Tensor = torch.linalg.vector_norm(self.gradient(pair), dim=1)
        return norms.pow(self.power).mean()


class GradientMaximum(PenaltyBetween):
    """max ‖∇D(x̂)‖² over x̂ between real and generated samples (Zhou et al. 2019, arXiv 1902.05687)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the greatest squared norm at points between this pair's samples."""
        return torch.max(self.gradient(pair).square().sum(dim=1))
