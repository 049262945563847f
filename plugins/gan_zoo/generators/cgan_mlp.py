"""A conditional generator of fully connected layers."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.layers import ACTIVATIONS, OUTPUTS, ImageSize, choose, init_scaled, sample_shape, with_labels


class CGANMLPGenerator(Generator):
    """Fully connected layers from z and the one-hot class, concatenated, to all pixels at once.

    The network of the CGAN tutorials (Mirza & Osindero 2014, arXiv 1411.1784, is the paper).

    Args:
        latent_dim: the size of z.
        num_classes: the number of classes.
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the sizes of the hidden layers.
        activation: after each hidden layer.
        output: `sigmoid` (rescaled to [-1, 1]), `tanh`, or `linear` for vectors.
        init: `he` or `xavier`.
    """

    conditional = True

    def __init__(
        self,
        latent_dim: int,
        num_classes: int,
        image_size: ImageSize | None,
        channels: int,
        hidden: list[int],
        activation: str,
        output: str,
        init: str,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.shape = sample_shape(channels, image_size)
        sizes = [latent_dim + num_classes, *hidden]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), choose(ACTIVATIONS, "activation", activation)]
        layers += [nn.Linear(sizes[-1], math.prod(self.shape)), choose(OUTPUTS, "output", output)]
        self.layers = nn.Sequential(*layers)
        init_scaled(self, init)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) and classes (N,) to images (N, C, H, W) in [-1, 1], or vectors (N, D)."""
        x = self.layers(with_labels(z, labels, self.num_classes))
        return x.unflatten(1, self.shape)  # type: ignore[no-any-return]
