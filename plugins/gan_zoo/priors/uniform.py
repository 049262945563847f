"""The uniform prior."""

from __future__ import annotations

import torch

from gan_framework.api import Latent, Prior


class Uniform(Prior):
    """Independent entries, uniform on [-1, 1].

    Args:
        dim: the size of z.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        if dim < 1:
            raise ValueError(f"dim={dim}: it must be at least 1")
        self.dim = dim

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw z (n, dim)."""
        source = generator.device if generator is not None else device
        return Latent(torch.rand(n, self.dim, device=source, generator=generator).mul(2).sub(1).to(device))
