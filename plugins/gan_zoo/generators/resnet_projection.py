"""The residual generator of SNGAN, conditioned through its batch norm."""

from __future__ import annotations

from gan_zoo.generators.resnet import ResNetGenerator
from gan_zoo.layers import ImageSize
from gan_zoo.residual import ConditionalBatchNorm2d


class ResNetProjectionGenerator(ResNetGenerator):
    """The residual generator with conditional batch norm in its blocks (Miyato & Koyama 2018, arXiv 1802.05637).

    Args:
        latent_dim: the size of z.
        num_classes: the number of classes.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of every block.
    """

    conditional = True

    def __init__(self, latent_dim: int, num_classes: int, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__(latent_dim, image_size, channels, width)
        for block in self.blocks:
            block.norm1 = ConditionalBatchNorm2d(width, num_classes)
            block.norm2 = ConditionalBatchNorm2d(width, num_classes)
