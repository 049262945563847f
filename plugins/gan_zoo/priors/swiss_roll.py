"""A spiral, in every pair of entries of z."""

from __future__ import annotations

import math

import torch

from gan_framework.api import Latent, Prior
from gan_zoo.priors.gaussian_mixture import require_pairs


class SwissRoll(Prior):
    """Points of a spiral, as likely everywhere along it (AAE, Makhzani et al. 2015, arXiv 1511.05644, figure 5).

    Each pair of entries is one: r = radius √u at the angle 2π turns √u, u uniform. Radius and turns are our reading of
    the figure.

    Args:
        dim: the size of z, even.
        radius: of the end.
        turns: of the spiral.
        std: of the normal noise around it.
    """

    def __init__(self, dim: int, radius: float, turns: float, std: float) -> None:
        super().__init__()
        require_pairs(dim)
        if not (radius > 0 and turns > 0 and std >= 0):
            raise ValueError(f"radius={radius}, turns={turns}, std={std}: the first two must be positive")
        self.dim = dim
        self.radius = radius
        self.turns = turns
        self.std = std

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw z (n, dim)."""
        source = generator.device if generator is not None else device
        share = torch.rand(n, self.dim // 2, device=source, generator=generator).sqrt()
        angle = 2 * math.pi * self.turns * share
        places = self.radius * share[..., None] * torch.stack([angle.cos(), angle.sin()], dim=2)
        noise = torch.randn(places.shape, device=source, generator=generator)
        return Latent((places + self.std * noise).flatten(1).to(device))
