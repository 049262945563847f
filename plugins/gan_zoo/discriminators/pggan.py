"""The discriminator of progressive growing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.equalised import ONE_BY_ANOTHER, EqualisedConv, EqualisedLinear, GroupDeviation, leaky
from gan_zoo.growing import Growing, mixed, pooled
from gan_zoo.layers import ImageSize, doublings, padded
from gan_zoo.ranges import require_positive
from gan_zoo.widths import channels_at


class Halving(nn.Module):
    """Two 3x3 convolutions, then 2x2 means.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = EqualisedConv(inputs, inputs, 3)
        self.second = EqualisedConv(inputs, outputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H/2, W/2)."""
        return pooled(leaky(self.second(leaky(self.first(x)))), 1)


class PGGANDiscriminator(Growing, Discriminator):
    """The generator's mirror image, with the deviation of the batch before the end (Karras et al. 2018, table 2).

    A 1x1 convolution from the image at each size; images are averaged down to the largest size at work.

    Args:
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        base: channels at a size are base / size in pixels,
        most: but no more than this.
        group: samples of a batch that are compared with each other.
    """

    batch_independent = False
    exempt: ClassVar[Mapping[str, str]] = ONE_BY_ANOTHER | {
        "trains_discriminator": "what reads smaller sizes has no part in judging the full size"
    }

    def __init__(self, image_size: ImageSize, channels: int, base: int, most: int, group: int) -> None:
        require_positive(base=base, most=most, group=group)
        (height, width), n = doublings(image_size, most=None)
        super().__init__(n + 1)
        self.whole_size = (height << n, width << n)
        widths = [channels_at(level, base, most) for level in range(n + 1)]
        self.inputs = nn.ModuleList([EqualisedConv(channels, outputs, 1) for outputs in widths])
        self.blocks = nn.ModuleList([Halving(widths[level], widths[level - 1]) for level in range(1, n + 1)])
        self.deviation = GroupDeviation(group)
        self.end = EqualisedConv(widths[0] + 1, widths[0], 3)
        self.flat = EqualisedLinear(widths[0] * height * width, widths[0], gain=math.sqrt(2))
        self.output: nn.Module = EqualisedLinear(widths[0], 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations at each size for images (N, C, H, W) in [-1, 1], then the flat layer's (N, A)."""
        image = pooled(padded(x, self.whole_size), self.sizes - 1 - self.newest)
        x = leaky(self.inputs[self.newest](image))
        activations = []
        for level in range(self.newest, 0, -1):
            x = self.blocks[level - 1](x)
            if self.fades and level == self.newest:
                x = mixed(x, leaky(self.inputs[level - 1](pooled(image, 1))), self.fade)
            activations.append(x)
        x = leaky(self.end(self.deviation(x)))
        return *activations, leaky(self.flat(x.flatten(1)))
