"""An auto-encoder of fully connected layers."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from gan_zoo.layers import ACTIVATIONS, OUTPUTS, ImageSize, choose, init_scaled, sample_shape


class MLPAutoEncoder(nn.Module):
    """Fully connected layers down to a small code and, mirrored, up again (Hinton & Salakhutdinov 2006).

    Args:
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the sizes of the layers between samples and code.
        code: the size of the code, which has no activation.
        activation: after each hidden layer.
        output: `sigmoid` (rescaled to [-1, 1]), `tanh`, or `linear` for vectors.
        init: the scale of the first weights, `he` or `xavier`.
    """

    def __init__(
        self,
        image_size: ImageSize | None,
        channels: int,
        hidden: list[int],
        code: int,
        activation: str,
        output: str,
        init: str,
    ) -> None:
        super().__init__()
        self.shape = sample_shape(channels, image_size)
        sizes = [math.prod(self.shape), *hidden, code]

        def layers(sizes: list[int]) -> nn.Sequential:
            linear = [nn.Linear(before, after) for before, after in pairwise(sizes)]
            activated = [layer for each in linear for layer in (each, choose(ACTIVATIONS, "activation", activation))]
            return nn.Sequential(*activated[:-1])

        self.encoder = nn.Sequential(nn.Flatten(), layers(sizes))
        self.decoder = nn.Sequential(layers(sizes[::-1]), choose(OUTPUTS, "output", output))
        init_scaled(self, init)

    def encode(self, x: Tensor) -> Tensor:
        """Map samples, images (N, C, H, W) in [-1, 1], to their codes (N, code)."""
        return self.encoder(x)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """Map samples, images (N, C, H, W) in [-1, 1], to their reconstructions."""
        return self.decoder(self.encode(x)).unflatten(1, self.shape)  # type: ignore[no-any-return]
