"""The standard normal prior."""

from __future__ import annotations

import torch

from gan_framework.api import Latent, Prior
from gan_zoo.ranges import require_positive


class Normal(Prior):
    """Independent standard normal entries.

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
        return Latent(torch.randn(n, self.dim, device=source, generator=generator).to(device))
