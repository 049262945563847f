"""The discriminator of FastGAN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Discriminator, DiscriminatorOutput
from gan_zoo.fast import DownBlock, Excitation, conv, decoder, norm, reduced
from gan_zoo.layers import ImageSize, sides
from gan_zoo.ranges import require_positive

SMALLEST = 8
"""Height and width of the maps that are judged, and decoded."""

AHEAD = 3
"""How many sizes later maps are gated by those of a size."""

DECODED = (2.0, 1.0, 1.0, 0.5, 0.25, 0.125, 0.125)
"""Channels of a decoder's maps at 16, 32, ... pixels as multiples of the width."""


class FastGANDiscriminator(Discriminator):
    """An encoder that judges 5x5 places, and again in the image of half the size (Liu et al. 2021, arXiv 2101.04775).

    Blocks halve the image down to 8x8; maps gate the channels of those three sizes on. A second, plain branch reads the
    image of half the size. Three decoders make images of the last maps of both, and of a quarter of the 16x16 maps; the
    term `self_supervision` trains them, and with them the encoder. The published widths are for 256 to 1024 pixels; at
    other sizes maps of r pixels have 64 / r times the width here too, and half of it in the second branch.

    Args:
        image_size: of square images of 8 times a power of 2 pixels, at least 32.
        channels: of the images.
        width: channels are multiples of it. Published: 64.
    """

    patches = True
    exempt: ClassVar[Mapping[str, str]] = {
        "trains_discriminator": "its decoders have no part in the logits: the term self_supervision trains them"
    }

    def __init__(self, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__()
        require_positive(width=width)
        height, across = sides(image_size)
        self.halvings = (height // SMALLEST).bit_length() - 1
        if height != across or height != SMALLEST << self.halvings or self.halvings < 2:
            raise ValueError(
                f"image_size={image_size}: the discriminator fastgan takes square images of 32, 64, 128, ... pixels"
            )
        # At the image's size first, 8x8 last.
        widths = [max(width * 64 // (SMALLEST << level), 1) for level in range(self.halvings, -1, -1)]
        self.stem = nn.Sequential(conv(channels, widths[0], 3), nn.LeakyReLU(0.2))
        self.blocks = nn.ModuleList(DownBlock(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True))
        self.excitations = nn.ModuleList(
            Excitation(widths[level - AHEAD], widths[level]) for level in range(AHEAD, self.halvings + 1)
        )
        judged = 2 * widths[-1]
        self.output: nn.Module = nn.Sequential(
            conv(widths[-1], judged, 1), norm(judged), nn.LeakyReLU(0.2), conv(judged, 1, 4, padding=0)
        )
        # As wide at a size as the other branch at twice the size, as published.
        small = widths[1:-1]
        self.small = nn.Sequential(
            conv(channels, small[0], 4, 2, 1),
            nn.LeakyReLU(0.2),
            *(reduced(a, b) for a, b in zip(small[:-1], small[1:], strict=True)),
        )
        self.small_output = conv(small[-1], 1, 4, padding=0)
        decoded = [max(int(width * share), 1) for share in DECODED[: self.halvings - 1]]
        self.decoders = nn.ModuleDict(
            {
                "whole": decoder(widths[-1], decoded, channels),
                "part": decoder(widths[-2], decoded, channels),
                "small": decoder(small[-1], decoded, channels),
            }
        )

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps at each size for images (N, C, H, H) in [-1, 1], (N, A, 8, 8) last."""
        maps = [self.stem(x)]
        for level, block in enumerate(self.blocks, 1):
            y = block(maps[-1])
            if level >= AHEAD:
                y = self.excitations[level - AHEAD](maps[level - AHEAD], y)
            maps.append(y)
        return tuple(maps)

    def forward(self, x: Tensor, labels: Tensor | None = None, *_: Tensor) -> DiscriminatorOutput:
        """Score images (N, C, H, H) in [-1, 1] at 25 places of each branch, (N, 50)."""
        output = super().forward(x, labels)
        seen = F.avg_pool2d(x, 2)
        small = self.small(seen)
        logits = torch.cat([output.logits.flatten(1), self.small_output(small).flatten(1)], dim=1)
        # The image as it was seen, augmented perhaps, is what is to be decoded.
        return output._replace(logits=logits, heads={**output.heads, "seen": x, "small": small})
