"""PrGAN (Gadelha et al. 2017, arXiv 1612.05872): solids that are learnt of silhouettes alone."""

from __future__ import annotations

import math

from torch import Tensor

from gan_framework.api import Generator
from gan_zoo.ndims import cut, init_dcgan, up
from gan_zoo.solids import project, turned


class SilhouetteGenerator(Generator):
    """z makes a solid, its last entry in [-1, 1] chooses a view; the image is 1 - e^(-Σ v) along the rays, to [-1, 1].

    No network sees a solid. The number of views is not in the paper's text: 8 is our reading of its figures.

    Args:
        latent_dim: the size of z, the entry of the view included.
        image_size: of the images, and cells to a side of the solids.
        width: channels of the layer before the solid.
        views: evenly around the z axis.
    """

    def __init__(self, latent_dim: int, image_size: int, width: int, views: int) -> None:
        super().__init__()
        if latent_dim < 2 or views < 1:
            raise ValueError(
                f"latent_dim={latent_dim} views={views}: z has two entries at least, and there is one view"
            )
        self.size, self.views = image_size, views
        self.solid = up(latent_dim - 1, (1, *[image_size] * 3), width, 4, 2, 4, "batch", "linear")
        init_dcgan(self)

    def solids(self, z: Tensor) -> Tensor:
        """Return the solids (N, D, D, D) in [0, 1] that z (N, latent_dim) makes."""
        return cut(self.solid(z[:, :-1]), [self.size] * 3)[:, 0].sigmoid()

    def angles(self, z: Tensor) -> Tensor:
        """Return the angles (N,) from which they are seen."""
        view = ((z[:, -1].clamp(-1, 1) + 1) / 2 * self.views).floor().clamp(max=self.views - 1)
        return view * (2 * math.pi / self.views)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to silhouettes (N, 1, H, W) in [-1, 1]."""
        seen = project(turned(self.solids(z).float(), self.angles(z.float())))
        return 2 * seen - 1
