"""A generator that makes one point."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.layers import ImageSize, sample_shape


class PointGenerator(Generator):
    """The same learned point, whatever z: p_g is a Dirac distribution (Mescheder et al. 2018, arXiv 1801.04406).

    Args:
        image_size: null for vectors.
        channels: the size of the vectors.
        start: where every coordinate starts.
    """

    def __init__(self, image_size: ImageSize | None, channels: int, start: float) -> None:
        super().__init__()
        self.point = nn.Parameter(torch.full(sample_shape(channels, image_size), float(start)))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the point once for each latent of z (N, latent_dim)."""
        return self.point.expand(len(z), *self.point.shape)
