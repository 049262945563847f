"""The standard normal prior."""

from __future__ import annotations

import torch

from gan_framework.api import Latent, Prior


class Normal(Prior):
    """Independent standard normal entries.

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
        return Latent(torch.randn(n, self.dim, device=source, generator=generator).to(device))
