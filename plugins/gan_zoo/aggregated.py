"""R3GAN's blocks without norm, of which generator and discriminator are made (Huang et al. 2024, arXiv 2501.05441)."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_zoo.grouped import GroupedConv2d
from gan_zoo.layers import ImageSize, doublings, sides
from gan_zoo.ranges import require_positive

SLOPE = 0.2
"""Of the leaky ReLUs."""

GAIN = math.sqrt(2 / (1 + SLOPE**2))
"""The weights' gain before a leaky ReLU that keeps the variance."""

INNER = 2
"""How many times as wide a block is inside."""

GROUP = 16
"""Channels of a group of the inner convolution: 96 groups at 768 channels, as published."""


def scaled_normal(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> nn.Conv2d | nn.Linear:
    """Draw a layer's weights from N(0, gain / √inputs) and return it."""
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.weight[0].numel()))
    return layer


class Block(nn.Module):
    """x + a bottleneck turned inside out: 1x1 to twice the channels, grouped 3x3, 1x1 back, which begins at 0.

    A bias and a leaky ReLU stand after the first and the second convolution (section 4.2 and appendix; Fixup's scale).

    Args:
        width: channels of the maps.
        blocks: of the whole network, by whose number the weights are scaled.
    """

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        inner = INNER * width
        gain = GAIN * blocks**-0.25
        self.widen = scaled_normal(nn.Conv2d(width, inner, 1, bias=False), gain)
        self.mix = scaled_normal(GroupedConv2d(inner, inner, 3, padding=1, groups=groups_of(inner), bias=False), gain)
        self.narrow = scaled_normal(nn.Conv2d(inner, width, 1, bias=False), 0.0)
        self.bias1 = nn.Parameter(torch.zeros(inner, 1, 1))
        self.bias2 = nn.Parameter(torch.zeros(inner, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, H, W) to the same shape."""
        y = F.leaky_relu(self.widen(x) + self.bias1, SLOPE)
        y = F.leaky_relu(self.mix(y) + self.bias2, SLOPE)
        narrowed: Tensor = self.narrow(y)
        return x + narrowed


def groups_of(inner: int) -> int:
    """Return the number of groups of the inner convolution: of 16 channels each where that divides them, else one."""
    return inner // GROUP if inner % GROUP == 0 else 1


def matched(inputs: int, outputs: int) -> nn.Module:
    """Return a 1x1 convolution from one width to another; where they are equal, nothing."""
    return nn.Identity() if inputs == outputs else scaled_normal(nn.Conv2d(inputs, outputs, 1, bias=False))


def stages(image_size: ImageSize, width: int | list[int]) -> tuple[tuple[int, int], list[int]]:
    """Return the height and width of the smallest maps, and the channels at each size, the smallest first.

    Args:
        image_size: of the images; see `doublings`.
        width: channels at each size, or those of the sizes up to 32 pixels, which halve with each further size as
            published.

    Raises:
        ValueError: there is no width, or not one for each size.
    """
    base, n = doublings(image_size, most=None)
    if isinstance(width, int):
        require_positive(width=width)
        widths = [max(width * min(32, 1 << (2 + i)) // (1 << (2 + i)), 1) for i in range(n + 1)]
    else:
        widths = [*width]
        if len(widths) != n + 1 or min(widths) < 1:
            raise ValueError(
                f"width={widths}: images of {' x '.join(map(str, sides(image_size)))} pixels need {n + 1} positive "
                "widths, the smallest maps' first"
            )
    return base, widths


def towers(widths: list[int], blocks: int) -> nn.ModuleList:
    """Return so many blocks at each width."""
    require_positive(blocks=blocks)
    total = blocks * len(widths)
    return nn.ModuleList(nn.Sequential(*(Block(width, total) for _ in range(blocks))) for width in widths)


def transitions(widths: list[int]) -> nn.ModuleList:
    """Return the change of width from each to the next."""
    return nn.ModuleList(matched(a, b) for a, b in pairwise(widths))
