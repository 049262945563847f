"""The discriminator of the CGAN paper for images of a class."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import PIXELS, ImageSize, Maxout, choose, class_vectors, init_within, sample_shape
from gan_zoo.ranges import require_below_one


class CGANMaxoutDiscriminator(Discriminator):
    """Pixels and class in maxout branches of their own, joined by a third (Mirza & Osindero 2014, section 4.1).

    x -> 240 units of 5 pieces, y -> 50 units of 5 pieces, joined -> 240 units of 4 pieces -> 1, with
    dropout after every hidden layer. The paper names no initialisation and no dropout of pixels; those of the authors'
    program of the first GAN on MNIST are used, whose discriminator has such layers (Goodfellow et al. 2014, arXiv
    1406.2661).

    Args:
        num_classes: the number of classes.
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        image_units: units and pieces of the branch of the pixels.
        label_units: units and pieces of the branch of the class.
        joint_units: units and pieces of the layer that joins both.
        dropout: the share of hidden units that are dropped in training.
        pixels: `unit` shows the network pixels in [0, 1], where it was published so; `symmetric` leaves samples as
            they are, in [-1, 1].
        input_dropout: the share of pixels that are dropped in training.
        init_range: weights start uniform from minus this to this, and biases at 0; null for torch's own start.
    """

    conditional = True

    def __init__(
        self,
        num_classes: int,
        image_size: ImageSize | None,
        channels: int,
        image_units: list[int],
        label_units: list[int],
        joint_units: list[int],
        dropout: float,
        pixels: str,
        input_dropout: float = 0.2,
        init_range: float | None = 0.005,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        require_below_one(dropout=dropout, input_dropout=input_dropout)
        self.pixels = choose(PIXELS, "pixels", pixels)
        self.input_dropout = nn.Dropout(input_dropout)
        inputs = math.prod(sample_shape(channels, image_size))
        self.image_branch = nn.Sequential(Maxout(inputs, *image_units), nn.Dropout(dropout))
        self.label_branch = nn.Sequential(Maxout(num_classes, *label_units), nn.Dropout(dropout))
        self.joint = nn.Sequential(Maxout(image_units[0] + label_units[0], *joint_units), nn.Dropout(dropout))
        self.output = nn.Linear(joint_units[0], 1)
        init_within(self, init_range)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the joined branches (N, 290) and the joint layer (N, 240)."""
        y = class_vectors(labels, self.num_classes, x.dtype)
        shown = self.input_dropout(self.pixels(x).flatten(1))
        branches = torch.cat([self.image_branch(shown), self.label_branch(y)], dim=1)
        return branches, self.joint(branches)
