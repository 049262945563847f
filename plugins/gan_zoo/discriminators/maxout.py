"""The discriminator of the first GAN."""

from __future__ import annotations

import math

from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import PIXELS, ImageSize, Maxout, activations, choose, init_within, sample_shape
from gan_zoo.ranges import require_below_one


class MaxoutDiscriminator(Discriminator):
    """Maxout layers from all pixels at once, with dropout (Goodfellow et al. 2014, arXiv 1406.2661, section 5).

    On MNIST, in the authors' program: 784 -> 240 units of 5 pieces -> 240 units of 5 pieces -> 1.

    Args:
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: units and pieces of each hidden layer.
        dropout: the share of hidden units that are dropped in training.
        input_dropout: the share of pixels that are dropped in training.
        init_range: weights start uniform from minus this to this, and biases at 0; null for torch's own start.
        pixels: `unit` shows the network pixels in [0, 1], where it was published so; `symmetric` leaves samples as
            they are, in [-1, 1].
    """

    def __init__(
        self,
        image_size: ImageSize | None,
        channels: int,
        hidden: list[list[int]],
        dropout: float = 0.5,
        input_dropout: float = 0.2,
        init_range: float | None = 0.005,
        pixels: str = "unit",
    ) -> None:
        super().__init__()
        require_below_one(dropout=dropout, input_dropout=input_dropout)
        if not hidden:
            raise ValueError("hidden=[]: the discriminator needs at least one hidden layer")
        self.pixels = choose(PIXELS, "pixels", pixels)
        self.input_dropout = nn.Dropout(input_dropout)
        size, layers = math.prod(sample_shape(channels, image_size)), []
        for units, pieces in hidden:
            layers.append(nn.Sequential(Maxout(size, units, pieces), nn.Dropout(dropout)))
            size = units
        self.hidden = nn.ModuleList(layers)
        self.output = nn.Linear(size, 1)
        init_within(self, init_range)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every hidden layer."""
        return activations(self.hidden, self.input_dropout(self.pixels(x).flatten(1)))
