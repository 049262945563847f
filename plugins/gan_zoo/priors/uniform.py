"""The uniform prior."""

from __future__ import annotations

import torch

from gan_framework.api import Latent, Prior
from gan_zoo.ranges import require_positive


class Uniform(Prior):
    """Independent entries, uniform on [-1, 1].

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
        return Latent(torch.rand(n, self.dim, device=source, generator=generator).mul(2).sub(1).to(device))
