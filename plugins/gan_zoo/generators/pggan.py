"""The generator of progressive growing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.equalised import EqualisedConv, PixelNorm, leaky
from gan_zoo.growing import Growing, mixed, repeated
from gan_zoo.layers import ImageSize, cropped, doublings
from gan_zoo.ranges import require_positive
from gan_zoo.widths import channels_at


class FirstMaps(nn.Module):
    """The smallest maps, an equalised linear function of z with a bias for each channel.

    Args:
        latent_dim: the size of z.
        outputs: channels of the maps.
        height: of the maps.
        width: of the maps.
    """

    def __init__(self, latent_dim: int, outputs: int, height: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, height, width, latent_dim))
        self.bias = nn.Parameter(torch.zeros(outputs, 1, 1))
        self.scale = math.sqrt(2 / (height * width * latent_dim))

    def forward(self, z: Tensor) -> Tensor:
        """Map z (N, latent_dim) to maps (N, outputs, height, width)."""
        return torch.einsum("nd,chwd->nchw", z, self.weight * self.scale) + self.bias


class PGGANGenerator(Growing, Generator):
    """Two 3x3 convolutions at each size, with an equalised learning rate and pixel norm (Karras et al. 2018, table 2).

    Each further size begins with the repetition of the smaller maps, and each has a 1x1 convolution to the image, which
    is repeated to the full size while larger ones are not at work; see the strategy `progressive_growing`, without
    which all are. No tanh. Other sizes than powers of 2 begin with other maps than 4x4; see `DCGANGenerator`.

    Args:
        latent_dim: the size of z, which is normalised.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        base: channels at a size are base / size in pixels,
        most: but no more than this.
    """

    exempt: ClassVar[Mapping[str, str]] = {
        "makes_samples": "its images are not bounded, as published",
        "trains_generator": "smaller sizes' images have no part in that of the full size",
    }

    def __init__(self, latent_dim: int, image_size: ImageSize, channels: int, base: int, most: int) -> None:
        require_positive(base=base, most=most)
        (height, width), n = doublings(image_size, most=None)
        super().__init__(n + 1)
        self.image_size = image_size
        widths = [channels_at(level, base, most) for level in range(n + 1)]
        self.norm = PixelNorm()
        self.start = FirstMaps(latent_dim, widths[0], height, width)
        self.first = nn.ModuleList([EqualisedConv(inputs, outputs, 3) for inputs, outputs in _pairs(widths)])
        self.second = nn.ModuleList([EqualisedConv(outputs, outputs, 3) for outputs in widths])
        self.images = nn.ModuleList([EqualisedConv(inputs, channels, 1, gain=1.0) for inputs in widths])

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W), meant to lie in [-1, 1]."""
        x = self._activated(self.start(self.norm(z)))
        x = self._activated(self.second[0](x))
        before = x
        for level in range(1, self.newest + 1):
            before = x
            x = self._activated(self.first[level - 1](repeated(x, 1)))
            x = self._activated(self.second[level](x))
        image = self.images[self.newest](x)
        if self.fades:
            image = mixed(image, repeated(self.images[self.newest - 1](before), 1), self.fade)
        return cropped(repeated(image, self.sizes - 1 - self.newest), self.image_size)

    def _activated(self, x: Tensor) -> Tensor:
        return self.norm(leaky(x))  # type: ignore[no-any-return]


def _pairs(widths: list[int]) -> list[tuple[int, int]]:
    return list(zip(widths[:-1], widths[1:], strict=True))
