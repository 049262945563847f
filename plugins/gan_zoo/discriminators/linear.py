"""A linear discriminator."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import ImageSize, sample_shape
from gan_zoo.ranges import require_positive


class LinearDiscriminator(Discriminator):
    """w · x, the discriminator of the Dirac-GAN (Mescheder et al. 2018, arXiv 1801.04406, section 2).

    Args:
        image_size: null for vectors.
        channels: the size of the vectors.
        start: where every weight starts.
        powers: x is followed by its squares, ..., up to this power, so that D is linear in moments; 1 for x alone.
    """

    def __init__(self, image_size: ImageSize | None, channels: int, start: float, powers: int = 1) -> None:
        super().__init__()
        require_positive(powers=powers)
        self.powers = powers
        self.output = nn.Linear(powers * math.prod(sample_shape(channels, image_size)), 1, bias=False)
        nn.init.constant_(self.output.weight, start)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the powers of the samples (N, powers * D), flat."""
        return (torch.cat([x.flatten(1) ** power for power in range(1, self.powers + 1)], dim=1),)
