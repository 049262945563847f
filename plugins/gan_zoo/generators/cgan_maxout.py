"""The generator of the CGAN paper for images of a class."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.layers import ImageSize, SigmoidImage, class_vectors, init_within, sample_shape
from gan_zoo.ranges import require_below_one


class CGANMaxoutGenerator(Generator):
    """z and class in branches of their own, joined, to all pixels (Mirza & Osindero 2014, section 4.1).

    z -> 200 ReLU, y -> 1000 ReLU, joined -> 1200 ReLU -> sigmoid, with dropout after every hidden
    layer. The paper names no initialisation; that of the authors' program of the first GAN on MNIST is used, whose
    generator has such layers (Goodfellow et al. 2014, arXiv 1406.2661).

    Args:
        latent_dim: the size of z.
        num_classes: the number of classes.
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        latent_units: of the branch of z.
        label_units: of the branch of the class.
        joint_units: of the layer that joins both.
        dropout: the share of hidden units that are dropped in training.
        init_range: weights start uniform from minus this to this, and biases at 0; null for torch's own start.
    """

    conditional = True

    def __init__(
        self,
        latent_dim: int,
        num_classes: int,
        image_size: ImageSize | None,
        channels: int,
        latent_units: int,
        label_units: int,
        joint_units: int,
        dropout: float,
        init_range: float | None = 0.05,
    ) -> None:
        super().__init__()
        require_below_one(dropout=dropout)
        self.num_classes = num_classes
        self.shape = sample_shape(channels, image_size)
        self.latent_branch = _hidden(latent_dim, latent_units, dropout)
        self.label_branch = _hidden(num_classes, label_units, dropout)
        self.joint = _hidden(latent_units + label_units, joint_units, dropout)
        self.output = nn.Sequential(nn.Linear(joint_units, math.prod(self.shape)), SigmoidImage())
        init_within(self, init_range)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) and classes (N,) to images (N, C, H, W) in [-1, 1]."""
        y = class_vectors(labels, self.num_classes, z.dtype)
        joined = self.joint(torch.cat([self.latent_branch(z), self.label_branch(y)], dim=1))
        return self.output(joined).unflatten(1, self.shape)  # type: ignore[no-any-return]


def _hidden(inputs: int, outputs: int, dropout: float) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout))
