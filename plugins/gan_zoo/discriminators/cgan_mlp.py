"""A conditional discriminator of fully connected layers."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import ACTIVATIONS, PIXELS, ImageSize, activations, choose, init_scaled, sample_shape, with_labels


class CGANMLPDiscriminator(Discriminator):
    """Fully connected layers from all pixels and the one-hot class, concatenated, to one logit.

    The network of the CGAN tutorials (Mirza & Osindero 2014, arXiv 1411.1784, is the paper).

    Args:
        num_classes: the number of classes.
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the sizes of the hidden layers.
        activation: after each hidden layer.
        init: `he` or `xavier`.
        pixels: `unit` shows the network pixels in [0, 1], where it was published so; `symmetric` leaves samples as
            they are, in [-1, 1].
    """

    conditional = True

    def __init__(
        self,
        num_classes: int,
        image_size: ImageSize | None,
        channels: int,
        hidden: list[int],
        activation: str,
        init: str,
        pixels: str,
    ) -> None:
        super().__init__()
        if not hidden:
            raise ValueError("hidden=[]: the discriminator needs at least one hidden layer")
        self.num_classes = num_classes
        self.pixels = choose(PIXELS, "pixels", pixels)
        sizes = [math.prod(sample_shape(channels, image_size)) + num_classes, *hidden]
        self.hidden = nn.ModuleList(
            nn.Sequential(nn.Linear(inputs, outputs), choose(ACTIVATIONS, "activation", activation))
            for inputs, outputs in pairwise(sizes)
        )
        self.output = nn.Linear(sizes[-1], 1)
        init_scaled(self, init)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every hidden layer."""
        x = with_labels(self.pixels(x).flatten(1), labels, self.num_classes)
        return activations(self.hidden, x)
