"""The discriminator of BigGAN-deep."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Discriminator, DiscriminatorOutput
from gan_zoo.biggan import DISCRIMINATOR, init_biggan, of_size, require_bottlenecks
from gan_zoo.layers import ImageSize, given, sides
from gan_zoo.residual import attention_after, through


class DeepDownBlock(nn.Module):
    """A bottleneck of four convolutions, 1x1, 3x3, 3x3, 1x1, each after a ReLU (arXiv 1809.11096, figure 16).

    The shortcut gets the channels that it lacks from a 1x1 convolution.

    Args:
        inputs: channels of the input.
        outputs: channels of the output, at least as many; a quarter of them are inside.
        halve: whether to halve the size.
    """

    def __init__(self, inputs: int, outputs: int, halve: bool) -> None:
        super().__init__()
        hidden = outputs // 4
        self.convolutions = nn.ModuleList(
            [
                nn.Conv2d(inputs, hidden, 1),
                nn.Conv2d(hidden, hidden, 3, padding=1),
                nn.Conv2d(hidden, hidden, 3, padding=1),
                nn.Conv2d(hidden, outputs, 1),
            ]
        )
        self.pool = nn.AvgPool2d(2) if halve else nn.Identity()
        self.further = nn.Conv2d(inputs, outputs - inputs, 1) if outputs > inputs else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W), or half the size."""
        h = x
        for convolution in self.convolutions[:3]:
            h = convolution(F.relu(h))
        # The order of pooling and the last convolution alone would not matter; that of ReLU and pooling does.
        h = self.convolutions[3](self.pool(F.relu(h)))
        kept = self.pool(x)
        return h + (kept if self.further is None else torch.cat([kept, self.further(kept)], 1))  # type: ignore[no-any-return]


class BigGANDeepDiscriminator(Discriminator):
    """A convolution, two bottleneck blocks for every size, a sum over positions and a projection of the class.

    Brock et al. 2018, arXiv 1809.11096, table 7. Attention stands once; the authors' table for 32 pixels calls all maps
    16 pixels large, so that there it follows the maps of 8 pixels too.

    Args:
        num_classes: the number of classes.
        image_size: 32, 64, 128 or 256.
        channels: of the images.
        width: the unit of all widths, a multiple of 4.
        attention: the side of the maps after which self-attention stands; `by_size` for half that of the images, at
            most 32; null for none. The paper has 64 at 128 pixels.
        init: `orthogonal`, or `normal` for N(0, 0.02).
        checkpoint_activations: compute what is inside blocks once more for the gradient, to save memory.
    """

    conditional = True

    def __init__(
        self,
        num_classes: int,
        image_size: ImageSize,
        channels: int,
        width: int,
        attention: int | str | None,
        init: str,
        checkpoint_activations: bool,
    ) -> None:
        super().__init__()
        require_bottlenecks(width)
        units = of_size(DISCRIMINATOR, image_size)
        maps = [width * unit for unit in units]
        stages = len(maps) - 1
        halve = [i < 2 or len({*units}) > 1 for i in range(stages)]
        self.start = nn.Conv2d(channels, maps[0], 3, padding=1)
        self.blocks = nn.ModuleList(
            block
            for (a, b), down in zip(pairwise(maps), halve, strict=True)
            for block in (DeepDownBlock(a, b, down), DeepDownBlock(b, b, False))
        )
        self.output = nn.Linear(maps[-1], 1)
        self.projection = nn.Embedding(num_classes, maps[-1])
        sizes = [min(sides(image_size)) >> sum(halve[: i + 1]) for i in range(stages)]
        self.attention = attention_after(attention, image_size, sizes, maps[1:], deep=2)
        init_biggan(self, init)
        self.checkpoint_activations = checkpoint_activations

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) in [-1, 1], then their sum (N, width)."""
        found = through(self.blocks, self.attention, self.start(x), recompute=self.checkpoint_activations)
        return *found, F.relu(found[-1]).sum((2, 3))

    def forward(self, x: Tensor, labels: Tensor | None = None, *_: Tensor) -> DiscriminatorOutput:
        """Score images (N, C, H, W) in [-1, 1] of classes (N,)."""
        output = super().forward(x, labels)
        agreement = (self.projection(given(labels)) * output.features[-1]).sum(1)
        return output._replace(logits=output.logits + agreement)
