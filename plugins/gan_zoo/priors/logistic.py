"""The logistic prior."""

from __future__ import annotations

import torch

from gan_framework.api import Latent, Prior
from gan_zoo.ranges import require_positive


class Logistic(Prior):
    """Independent entries of the standard logistic distribution, log(u / (1 - u)) of uniform u (Dinh et al. 2015).

    Args:
        dim: the size of z.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        require_positive(dim=dim)
        self.dim = dim

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw z (n, dim)."""
        source = generator.device if generator is not None else device
        u = torch.rand(n, self.dim, device=source, generator=generator).clamp(1e-7, 1 - 1e-7)
        return Latent((u.log() - (-u).log1p()).to(device))
