"""A mixture of Gaussians on a circle, in every pair of entries of z."""

from __future__ import annotations

import math

import torch

from gan_framework.api import Latent, Prior
from gan_zoo.ranges import require_positive


class GaussianMixture(Prior):
    """Gaussians around a circle, stretched along its radius, as the priors of AAE are (Makhzani et al. 2015, figure 4).

    arXiv 1511.05644. Each pair of entries is drawn of one of them; a radius of 0 and two equal deviations make it a
    normal prior of that deviation.

    Args:
        dim: the size of z, even.
        components: how many Gaussians there are.
        radius: of the circle that their means lie on.
        along: the deviation along the radius.
        across: the deviation across it.
    """

    def __init__(self, dim: int, components: int, radius: float, along: float, across: float) -> None:
        super().__init__()
        require_pairs(dim)
        require_positive(components=components)
        if not (radius >= 0 and along > 0 and across > 0):
            raise ValueError(f"radius={radius}, along={along}, across={across}: the deviations must be positive")
        self.dim = dim
        self.components = components
        self.radius = radius
        self.along = along
        self.across = across

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw z (n, dim)."""
        source = generator.device if generator is not None else device
        shape = (n, self.dim // 2)
        which = torch.randint(self.components, shape, device=source, generator=generator)
        angle = 2 * math.pi / self.components * which
        out, aside = torch.randn(2, *shape, device=source, generator=generator)
        out, aside = self.radius + self.along * out, self.across * aside
        right, up = out * angle.cos() - aside * angle.sin(), out * angle.sin() + aside * angle.cos()
        return Latent(torch.stack([right, up], dim=2).flatten(1).to(device))


def require_pairs(dim: int) -> None:
    """Raise ValueError unless a size of z is a number of pairs."""
    require_positive(dim=dim)
    if dim % 2:
        raise ValueError(f"dim={dim}: the entries go in pairs; set prior.dim={dim + 1}")
