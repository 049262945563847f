"""The residual generator of SNGAN, conditioned through its batch norm."""

from __future__ import annotations

from gan_zoo.generators.resnet import ResNetGenerator
from gan_zoo.layers import ImageSize
from gan_zoo.residual import ConditionalBatchNorm2d, Widths


class ResNetProjectionGenerator(ResNetGenerator):
    """The residual generator with conditional batch norm in its blocks (Miyato & Koyama 2018, arXiv 1802.05637).

    Args:
        latent_dim: the size of z.
        num_classes: the number of classes.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the last block; of every block if `widths` is null.
        widths: as those of `generator=resnet`.
        attention: as that of `generator=resnet`.
        checkpoint_activations: as that of `generator=resnet`.
    """

    conditional = True

    def __init__(
        self,
        latent_dim: int,
        num_classes: int,
        image_size: ImageSize,
        channels: int,
        width: int,
        widths: Widths = None,
        attention: int | str | None = None,
        checkpoint_activations: bool = False,
    ) -> None:
        super().__init__(latent_dim, image_size, channels, width, widths, attention, checkpoint_activations)
        for block in self.blocks:
            for name in ("norm1", "norm2"):
                setattr(block, name, ConditionalBatchNorm2d(getattr(block, name).num_features, num_classes))
