"""The discriminator of U-Net GAN, which judges images and their pixels."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Discriminator, DiscriminatorOutput
from gan_zoo.biggan import init_biggan
from gan_zoo.layers import ImageSize, given, sides
from gan_zoo.ranges import require_positive
from gan_zoo.recomputing import recomputed
from gan_zoo.residual import MOST, DownBlock, through


class DecoderBlock(nn.Module):
    """A residual block without norm that doubles the size: ReLU, upsample, convolve, ReLU, convolve.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, 2H, 2W)."""
        h = self.conv2(F.relu(self.conv1(F.interpolate(F.relu(x), scale_factor=2))))
        return h + F.interpolate(self.shortcut(x), scale_factor=2)  # type: ignore[no-any-return]


class UNetDiscriminator(Discriminator):
    """An encoder's logit for the image and a decoder's for every pixel (Schönfeld et al. 2020, arXiv 2002.12655).

    The logits are (N, 2, H, W): the first plane is that of the image everywhere, the second those of the pixels, so
    that the mean that every loss takes over logits gives either half of the network half of the weight, as the paper's
    sum does. The encoder is BigGAN's, down to 4x4 pixels; each decoder block but the first is given the encoder's maps
    of its size. The paper has images of 128 and 256 pixels; other sizes follow the same rule.

    Args:
        image_size: of square images, or height and width, both of which halve without rest down to at least 4 pixels.
        channels: of the images.
        width: of the first block; it doubles up to 16 times from block to block.
        num_classes: of a projection of the class on the encoder's logit; 0 for none.
        init: `orthogonal`, or `normal` for N(0, 0.02).
        checkpoint_activations: compute what is inside blocks once more for the gradient, to save memory.
    """

    batch_independent = True

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        width: int,
        num_classes: int,
        init: str,
        checkpoint_activations: bool,
    ) -> None:
        super().__init__()
        require_positive(width=width)
        downs = _downs(image_size)
        widths = [width * min(2**i, MOST) for i in range(downs)]
        self.blocks = nn.ModuleList(
            DownBlock(a, b, halve=True, first=i == 0) for i, (a, b) in enumerate(pairwise([channels, *widths]))
        )
        outputs = [*widths[-2::-1], width]
        inputs = [widths[-1], *(2 * channels_of_skip for channels_of_skip in widths[-2::-1])]
        self.decoder = nn.ModuleList(DecoderBlock(a, b) for a, b in zip(inputs, outputs, strict=True))
        self.pixels = nn.Conv2d(width, 1, 1)
        self.output = nn.Linear(widths[-1], 1)
        self.conditional = num_classes > 0
        self.projection = nn.Embedding(num_classes, widths[-1]) if num_classes else None
        init_biggan(self, init)
        self.checkpoint_activations = checkpoint_activations

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the encoder's activations after every block for images (N, C, H, W), then their sum (N, width)."""
        found = through(self.blocks, nn.ModuleDict(), x, recompute=self.checkpoint_activations)
        return *found, F.relu(found[-1]).sum((2, 3))

    def forward(self, x: Tensor, labels: Tensor | None = None, *_: Tensor) -> DiscriminatorOutput:
        """Score images (N, C, H, W) in [-1, 1] and their pixels: logits (N, 2, H, W)."""
        output = super().forward(x, labels)
        of_image = output.logits
        if self.projection is not None:
            of_image = of_image + (self.projection(given(labels)) * output.features[-1]).sum(1)
        *skips, h = output.features[:-1]
        for i, block in enumerate(self.decoder):
            h = h if i == 0 else torch.cat([h, skips[-i]], 1)
            h = recomputed(block, h) if self.checkpoint_activations else block(h)
        of_pixels = self.pixels(h)
        return output._replace(logits=torch.cat([of_image[:, None, None, None].expand_as(of_pixels), of_pixels], 1))


def _downs(image_size: ImageSize) -> int:
    height, width = sides(image_size)
    downs = int(math.log2(max(min(height, width), 1) / 4)) if min(height, width) >= 8 else 0
    if downs < 1 or height % 2**downs or width % 2**downs:
        raise ValueError(
            f"image_size={image_size}: maps are halved down to 4 to 7 pixels and doubled back without a rest; 16, 28, "
            "32, 48, 64, 128 and 256 can be"
        )
    return downs
