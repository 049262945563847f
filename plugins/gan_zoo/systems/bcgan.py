"""BCGAN (Abbasnejad et al. 2017, arXiv 1706.05477): what is random is the generator, not its input."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.layers import ImageSize, SigmoidImage, class_vectors, init_scaled, sample_shape


class ClassGenerator(Generator):
    """Fully connected layers from the class alone, x = f(y): without the wrapper `variational` one image of each class.

    The paper draws f by its weights; how is not known to us, and here they are normal, with means and deviations that
    are learned (`generator=variational`).

    Args:
        latent_dim: the size of z, which it does not read.
        num_classes: of the data.
        image_size: of square images, or height and width.
        channels: of the images.
        hidden: the sizes of the hidden layers.
    """

    conditional = True
    exempt: ClassVar[Mapping[str, str]] = {
        "depends_on_latents": "an image follows from its class and the weights alone"
    }

    def __init__(
        self, latent_dim: int, num_classes: int, image_size: ImageSize, channels: int, hidden: list[int]
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        shape = sample_shape(channels, image_size)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([num_classes, *hidden]):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        last = nn.Linear([num_classes, *hidden][-1], math.prod(shape))
        self.layers = nn.Sequential(*layers, last, SigmoidImage())
        self.shape = shape
        init_scaled(self, "he")

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map classes (N,) to images (N, C, H, W) in [-1, 1]; of z only the type is read."""
        images: Tensor = self.layers(class_vectors(labels, self.num_classes, z.dtype)).unflatten(1, self.shape)
        return images
