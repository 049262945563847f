"""ESRGAN's generator (Wang et al. 2018, arXiv 1809.00219): dense blocks inside residual ones, without batch norm."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, Generator
from gan_zoo.generators.sr_resnet import SCALES
from gan_zoo.ranges import require_positive
from gan_zoo.translating import image_in

SHARE = 0.2
"""By which residuals are multiplied (section 3.1, β)."""

DENSE = 3
"""Dense blocks in a residual one."""


class DenseBlock(nn.Module):
    """x + 0.2 f(x): five convolutions, each of all before it, leaky ReLU 0.2 but after the last."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        outputs = [growth] * 4 + [width]
        self.layers = nn.ModuleList(
            nn.Conv2d(width + number * growth, wide, 3, padding=1) for number, wide in enumerate(outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, H, W) to the same shape."""
        seen = x
        for number, layer in enumerate(self.layers):
            made: Tensor = layer(seen)
            if number < len(self.layers) - 1:
                seen = torch.cat([seen, F.leaky_relu(made, 0.2)], 1)
        return x + SHARE * made


class RRDB(nn.Module):
    """x + 0.2 f(x) of three dense blocks."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(width, growth) for _ in range(DENSE)))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, H, W) to the same shape."""
        made: Tensor = x + SHARE * self.blocks(x)
        return made


class RRDBGenerator(Generator):
    """Residual dense blocks at the small size, doubled by nearest pixels and a convolution for each factor of 2.

    A tanh at the end keeps images in [-1, 1]. Weights of the blocks begin at a tenth of He's.

    Args:
        channels: of the images made.
        source_channels: of the images that they are made of.
        width: channels; 64 in the paper.
        growth: channels that each convolution of a block adds; 32.
        blocks: 23.
        scale: how many times as large the images become: 1, 2, 4, 8 or 16.
    """

    def __init__(self, channels: int, source_channels: int, width: int, growth: int, blocks: int, scale: int) -> None:
        super().__init__()
        require_positive(channels=channels, source_channels=source_channels, width=width, growth=growth, blocks=blocks)
        if scale not in SCALES:
            raise ValueError(f"scale={scale}: it must be one of {', '.join(map(str, SCALES))}")
        self.first = nn.Conv2d(source_channels, width, 3, padding=1)
        self.blocks = nn.Sequential(*(RRDB(width, growth) for _ in range(blocks)))
        self.last = nn.Conv2d(width, width, 3, padding=1)
        self.up = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(SCALES.index(scale)))
        self.image = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(width, channels, 3, padding=1)
        )
        for layer in self.blocks.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
                with torch.no_grad():
                    layer.weight.mul_(0.1)
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given images (N, source_channels, h, w) to images (N, channels, scale h, scale w) in [-1, 1]."""
        first = self.first(image_in(given))
        x = first + self.last(self.blocks(first))
        for layer in self.up:
            x = F.leaky_relu(layer(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2)
        made: Tensor = self.image(x).tanh()
        return made
