"""The discriminator of BigGAN."""

from __future__ import annotations

from gan_zoo.biggan import DISCRIMINATOR, init_biggan, of_size
from gan_zoo.discriminators.resnet_projection import ResNetProjectionDiscriminator
from gan_zoo.layers import ImageSize


class BigGANDiscriminator(ResNetProjectionDiscriminator):
    """SNGAN's with blocks as wide inside as their outputs, in other widths (Brock et al. 2018, 1809.11096, table 4).

    Args:
        num_classes: the number of classes.
        image_size: 32, 64, 128 or 256.
        channels: of the images.
        width: the unit of all widths.
        attention: the side of the maps after which self-attention stands; `by_size` for half that of the images, at
            most 32; null for none. The paper has 64 at 128 pixels.
        init: `orthogonal`, or `normal` for N(0, 0.02).
        checkpoint_activations: compute what is inside blocks once more for the gradient, to save memory.
    """

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
        units = of_size(DISCRIMINATOR, image_size)
        constant = len({*units}) == 1
        super().__init__(
            num_classes,
            channels,
            width * units[0],
            image_size,
            None if constant else [width * unit for unit in units],
            attention=attention,
            checkpoint_activations=checkpoint_activations,
        )
        init_biggan(self, init)
