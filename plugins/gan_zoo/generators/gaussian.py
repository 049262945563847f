"""A generator whose density is known."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Generator


class GaussianGenerator(Generator):
    """mean + std · z with both learned, so that p_g is Gaussian where z is standard normal.

    Args:
        latent_dim: the size of z.
        channels: the size of the vectors, which must be that of z.
        mean: where the mean starts.
        std: where the deviation starts.
    """

    def __init__(self, latent_dim: int, channels: int, mean: float, std: float) -> None:
        super().__init__()
        if latent_dim != channels:
            raise ValueError(f"latent_dim={latent_dim}, channels={channels}: every entry of z makes one of the sample")
        self.mean = nn.Parameter(torch.full((channels,), float(mean)))
        self.std = nn.Parameter(torch.full((channels,), float(std)))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, D) to vectors (N, D)."""
        return self.mean + self.std * z
