"""A linear discriminator."""

from __future__ import annotations

import math

from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import ImageSize, sample_shape


class LinearDiscriminator(Discriminator):
    """w · x, the discriminator of the Dirac-GAN (Mescheder et al. 2018, arXiv 1801.04406, section 2).

    Args:
        image_size: null for vectors.
        channels: the size of the vectors.
        start: where every weight starts.
    """

    def __init__(self, image_size: ImageSize | None, channels: int, start: float) -> None:
        super().__init__()
        self.output = nn.Linear(math.prod(sample_shape(channels, image_size)), 1, bias=False)
        nn.init.constant_(self.output.weight, start)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the samples themselves, flat."""
        return (x.flatten(1),)
