"""The standard normal prior without its tails."""

from __future__ import annotations

import torch
from torch import nn

from gan_framework.api import Latent, Prior
from gan_zoo.ranges import require_above_zero, require_positive


class TruncatedNormal(Prior):
    """Independent standard normal entries, redrawn where they lie outside [-bound, bound].

    Args:
        dim: the size of z.
        bound: the cut, in standard deviations.
    """

    def __init__(self, dim: int, bound: float) -> None:
        super().__init__()
        require_positive(dim=dim)
        require_above_zero(bound=bound)
        self.dim = dim
        self.bound = bound

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw z (n, dim)."""
        z = torch.empty(n, self.dim, device=generator.device if generator is not None else device)
        return Latent(nn.init.trunc_normal_(z, 0.0, 1.0, -self.bound, self.bound, generator).to(device))
