"""A conditional DCGAN discriminator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import ImageSize, activations, class_vectors, doublings, init_truncated_normal


class DCGANConditionalDiscriminator(Discriminator):
    """The image and one map per class, through strided convolutions with leaky ReLU and batch norm.

    The network of the conditional DCGAN tutorials, after Radford et al. 2015 (arXiv 1511.06434). At 28
    pixels: 5x5/2 to 128 channels -> 5x5/2 to 256 -> one logit of the whole 7x7 map; other sizes have as
    many 5x5/2 layers as they need, down to a map whose smaller side is from 4 to 7 pixels.

    Args:
        num_classes: the number of classes.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the first layer.
    """

    conditional = True

    def __init__(self, num_classes: int, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        base, n = doublings(image_size)
        blocks = [nn.Sequential(nn.Conv2d(channels + num_classes, width, 5, 2, 2), nn.LeakyReLU(0.2, inplace=True))]
        for i in range(1, n):
            narrow, wide = width * 2 ** (i - 1), width * 2**i
            blocks.append(
                nn.Sequential(
                    nn.Conv2d(narrow, wide, 5, 2, 2, bias=False),
                    nn.BatchNorm2d(wide),
                    nn.LeakyReLU(0.2, inplace=True),
                )
            )
        self.blocks = nn.ModuleList(blocks)
        self.output = nn.Linear(width * 2 ** (n - 1) * base[0] * base[1], 1)
        init_truncated_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) in [-1, 1] and classes (N,)."""
        maps = class_vectors(labels, self.num_classes, x.dtype)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        x = torch.cat([x, maps], dim=1)
        return activations(self.blocks, x)
