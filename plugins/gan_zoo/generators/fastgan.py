"""The generator of FastGAN."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gan_framework.api import Generator
from gan_zoo.equalised import PixelNorm
from gan_zoo.fast import DEVIATION, Excitation, FirstMaps, up_block
from gan_zoo.layers import ImageSize, cropped, doublings
from gan_zoo.ranges import require_positive

SHARES = (16.0, 8.0, 4.0, 2.0, 2.0, 1.0, 0.5, 0.25)
"""Channels at 4, 8, ... pixels as multiples of the width."""

AHEAD = 4
"""How many sizes later maps are gated by those of a size."""


class FastGANGenerator(Generator):
    """Gated convolutions, and small maps that excite those four sizes on (FastGAN, Liu et al. 2021, arXiv 2101.04775).

    z is normalised. From 64 pixels on the 4x4 maps gate the channels of the 64x64 ones, then 8x8 those of 128 and
    16x16 those of 256. Other sizes than powers of 2 begin with other maps than 4x4; see `DCGANGenerator`.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels are multiples of it. Published: 64, and 128 in projected GAN.
        large: two convolutions at each size, with noise, in place of one.
    """

    def __init__(self, latent_dim: int, image_size: ImageSize, channels: int, width: int, large: bool) -> None:
        super().__init__()
        require_positive(width=width)
        self.image_size = image_size
        (height, across), n = doublings(image_size)
        widths = [max(int(width * share), 1) for share in SHARES[: n + 1]]
        self.norm = PixelNorm()
        self.start = FirstMaps(latent_dim, widths[0], (height, across))
        self.blocks = nn.ModuleList(
            up_block(widths[level - 1], widths[level], (height << level, across << level), large)
            for level in range(1, n + 1)
        )
        self.excitations = nn.ModuleList(
            Excitation(widths[level - AHEAD], widths[level]) for level in range(AHEAD, min(n, 6) + 1)
        )
        output = nn.Conv2d(widths[-1], channels, 3, padding=1)
        nn.init.normal_(output.weight, 0.0, DEVIATION)
        self.output = spectral_norm(output)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        maps = [self.start(self.norm(z))]
        for level, block in enumerate(self.blocks, 1):
            x = block(maps[-1])
            if AHEAD <= level < AHEAD + len(self.excitations):
                x = self.excitations[level - AHEAD](maps[level - AHEAD], x)
            maps.append(x)
        return cropped(torch.tanh(self.output(maps[-1])), self.image_size)
