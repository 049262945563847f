"""A generator that encodes an image by convolutions and decodes another, without a way around."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from gan_framework.api import EMPTY, Generator
from gan_zoo.layers import ImageSize, doublings, init_normal, sides
from gan_zoo.ranges import require_positive
from gan_zoo.translating import image_in


class EncoderDecoder(Generator):
    """DCGAN's discriminator and then its generator, joined at a map of 4 to 7 pixels (Kim et al. 2017, section 3).

    DiscoGAN, arXiv 1703.05192; the context encoder's form too (Pathak et al. 2016, arXiv 1604.07379). Kernels of 4 and
    stride 2, batch norm on every layer but the first and the last, leaky ReLU 0.2 down and ReLU up, tanh.

    Args:
        image_size: of square images, or height and width; multiples of the power of two that brings them to 4 to 7.
        channels: of the images made.
        source_channels: of the images that they are made of.
        width: channels of the first layer, doubled with each.
        bottleneck: the size of a vector that the smallest map goes through; null for none.
    """

    def __init__(
        self, image_size: ImageSize, channels: int, source_channels: int, width: int, bottleneck: int | None
    ) -> None:
        super().__init__()
        require_positive(channels=channels, source_channels=source_channels, width=width)
        (height, across), times = doublings(image_size)
        if (height << times, across << times) != sides(image_size):
            raise ValueError(f"image_size={image_size}: both sides must be multiples of {2**times}")
        widths = [source_channels, *(width * 2**i for i in range(times))]
        layers: list[nn.Module] = []
        for i in range(times):
            layers.append(nn.Conv2d(widths[i], widths[i + 1], 4, 2, 1, bias=False))
            layers += [nn.BatchNorm2d(widths[i + 1]), nn.LeakyReLU(0.2)] if i else [nn.LeakyReLU(0.2)]
        if bottleneck is not None:
            require_positive(bottleneck=bottleneck)
            inner = widths[-1]
            layers += [nn.Conv2d(inner, bottleneck, (height, across), bias=False), nn.BatchNorm2d(bottleneck)]
            layers += [nn.LeakyReLU(0.2), nn.ConvTranspose2d(bottleneck, inner, (height, across), bias=False)]
            layers += [nn.BatchNorm2d(inner), nn.ReLU()]
        widths[0] = channels
        for i in reversed(range(times)):
            layers.append(nn.ConvTranspose2d(widths[i + 1], widths[i], 4, 2, 1, bias=i == 0))
            layers += [nn.BatchNorm2d(widths[i]), nn.ReLU()] if i else [nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given images (N, source_channels, H, W) to images (N, channels, H, W) in [-1, 1]."""
        made: Tensor = self.layers(image_in(given))
        return made
