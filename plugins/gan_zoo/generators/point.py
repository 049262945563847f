"""A generator that makes one point."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.layers import ImageSize, sample_shape


class PointGenerator(Generator):
    """The same learned point, whatever z: p_g is a Dirac distribution (Mescheder et al. 2018, arXiv 1801.04406).

    Args:
        image_size: null for vectors.
        channels: the size of the vectors.
        start: where every coordinate starts, or a list with a number for each.
    """

    def __init__(self, image_size: ImageSize | None, channels: int, start: float | list[float]) -> None:
        super().__init__()
        shape = sample_shape(channels, image_size)
        if isinstance(start, list) and len(start) != math.prod(shape):
            raise ValueError(f"start={start}: a number, or {math.prod(shape)} of them")
        values = torch.tensor(start, dtype=torch.get_default_dtype())
        self.point = nn.Parameter(values.view(shape) if isinstance(start, list) else values.expand(shape).clone())

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the point once for each latent of z (N, latent_dim)."""
        return self.point.expand(z.shape[0], *self.point.shape)
