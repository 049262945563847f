"""The uniform prior."""

from __future__ import annotations

import torch

from gan_framework.api import Latent, Prior
from gan_zoo.ranges import require_positive


class Uniform(Prior):
    """Independent entries, uniform on [low, high].

    Args:
        dim: the size of z.
        low: the least value of an entry.
        high: the greatest.
    """

    def __init__(self, dim: int, low: float = -1.0, high: float = 1.0) -> None:
        super().__init__()
        require_positive(dim=dim)
        if not low < high:
            raise ValueError(f"low={low}, high={high}: low must be below high")
        self.dim = dim
        self.low = low
        self.high = high

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw z (n, dim)."""
        source = generator.device if generator is not None else device
        z = torch.rand(n, self.dim, device=source, generator=generator).mul(self.high - self.low).add(self.low)
        return Latent(z.to(device))
