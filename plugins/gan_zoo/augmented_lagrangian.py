"""A constraint of a critic by an augmented Lagrangian."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import distributed
from gan_zoo.ranges import require_above_zero


class AugmentedLagrangian(nn.Module):
    """Holds a moment Ω of the critic at 1 (Mroueh & Sercu 2017, arXiv 1705.09675, Algorithm 1).

    The multiplier λ is a buffer that follows after each update of the critic: λ - ρ (1 - Ω).

    Args:
        rho: ρ, the weight of the penalty and the step of the multiplier.
    """

    multiplier: Tensor

    def __init__(self, rho: float) -> None:
        super().__init__()
        require_above_zero(rho=rho)
        self.rho = rho
        self.register_buffer("multiplier", torch.tensor(0.0))

    def constrain(self, moment: Tensor) -> Tensor:
        """Return -λ (1 - Ω) + ½ ρ (Ω - 1)², what the critic pays."""
        excess = moment - 1
        return self.multiplier * excess + self.rho / 2 * excess.square()

    def follow(self, moment: Tensor) -> None:
        """Move the multiplier after an update of the critic, in all processes alike; Ω is that of the update."""
        self.multiplier.add_(self.rho * (distributed.mean(moment) - 1))

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return the multiplier."""
        return {"multiplier": self.multiplier}
