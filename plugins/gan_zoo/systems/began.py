"""BEGAN's networks (Berthelot et al. 2017, arXiv 1703.10717, section 3.5 and figure 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.discriminators.autoencoder import Reconstructing
from gan_zoo.layers import ImageSize, cropped, doublings, init_scaled, padded
from gan_zoo.ranges import require_positive


def first_map(image_size: ImageSize) -> tuple[tuple[int, int], int]:
    """Return the height and width of the smallest map, whose smaller side is from 8 to 15 pixels, and its doublings."""
    (height, width), n = doublings(image_size)
    return (2 * height, 2 * width), n - 1


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return a 3x3 convolution and an ELU; there is no norm."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.ELU(inplace=True))


class BEGANGenerator(Generator):
    """A linear map, two 3x3 convolutions with ELU at each size, nearest neighbours between sizes; linear at the end.

    No norm, and `width` channels at every size; the smaller side of the first map is from 8 to 15 pixels.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of every map.
    """

    exempt: ClassVar[Mapping[str, str]] = {"makes_samples": "its images are not bounded, as published"}

    def __init__(self, latent_dim: int, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__()
        require_positive(channels=channels, width=width)
        self.image_size = image_size
        base, n = first_map(image_size)
        self.base = (width, *base)
        self.input = nn.Linear(latent_dim, width * base[0] * base[1])
        layers: list[nn.Module] = []
        for size in range(n + 1):
            if size:
                layers.append(nn.Upsample(scale_factor=2))
            layers += [convolution(width, width), convolution(width, width)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, channels, 3, padding=1))
        init_scaled(self, "xavier")

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W); nothing bounds them."""
        images: Tensor = self.layers(self.input(z).unflatten(1, self.base))
        return cropped(images, self.image_size)


class BEGANDiscriminator(Reconstructing):
    """An auto-encoder without norm: 3x3 convolutions with ELU down to a code, and a generator's network back.

    The i-th size has i * width channels, and a convolution of stride 2 leads to the next.

    Args:
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the layers next to the image, and of every map of the decoder.
        code: the size of the code.
        distance: the error of a value, `l1` (absolute) or `l2` (squared).
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int, code: int, distance: str) -> None:
        require_positive(channels=channels, width=width, code=code)
        base, n = first_map(image_size)
        blocks = nn.ModuleList([convolution(channels, width)])
        inputs = width
        for size in range(1, n + 2):
            outputs = size * width
            block = [convolution(inputs, outputs), convolution(outputs, outputs)]
            if size <= n:
                block.append(convolution(outputs, outputs, 2))
            blocks.append(nn.Sequential(*block))
            inputs = outputs
        output = nn.Linear(inputs * base[0] * base[1], code)
        super().__init__(blocks, output, BEGANGenerator(code, image_size, channels, width), distance)
        self.whole_size = (base[0] << n, base[1] << n)
        init_scaled(self, "xavier")

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations of the encoder's blocks for images (N, C, H, W)."""
        return super().features(padded(x, self.whole_size), labels)
