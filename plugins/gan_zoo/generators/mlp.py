"""A generator of fully connected layers."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.layers import ACTIVATIONS, OUTPUTS, ImageSize, choose, init_weights, sample_shape


class MLPGenerator(Generator):
    """Fully connected layers from z to all pixels at once (the first network of the GAN tutorials).

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the sizes of the hidden layers.
        activation: after each hidden layer.
        output: `sigmoid` (rescaled to [-1, 1]), `tanh`, or `linear` for vectors.
        init_std: the deviation of the first weights with `truncated_normal` and `normal`; with `uniform` the greatest.
        init_bias: the value at which biases start with `truncated_normal`.
        init: `truncated_normal`, cut off at two deviations, `normal` or `uniform`; `he` or `xavier`, with biases 0.
    """

    def __init__(
        self,
        latent_dim: int,
        image_size: ImageSize | None,
        channels: int,
        hidden: list[int],
        activation: str,
        output: str,
        init_std: float,
        init_bias: float,
        init: str = "truncated_normal",
    ) -> None:
        super().__init__()
        self.shape = sample_shape(channels, image_size)
        sizes = [latent_dim, *hidden]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), choose(ACTIVATIONS, "activation", activation)]
        layers += [nn.Linear(sizes[-1], math.prod(self.shape)), choose(OUTPUTS, "output", output)]
        self.layers = nn.Sequential(*layers)
        init_weights(self, init, init_std, init_bias)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1], or vectors (N, D)."""
        return self.layers(z).unflatten(1, self.shape)  # type: ignore[no-any-return]
