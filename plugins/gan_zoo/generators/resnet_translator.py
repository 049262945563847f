"""The residual generator of images of images."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from gan_framework.api import EMPTY, Generator
from gan_zoo.layers import init_normal
from gan_zoo.ranges import require_positive
from gan_zoo.translating import image_in


class ResidualBlock(nn.Module):
    """x + IN(C3(ReLU(IN(C3(x))))), with reflected borders."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, H, W) to the same shape."""
        made: Tensor = x + self.layers(x)
        return made


class ResNetTranslator(Generator):
    """Images of images through residual blocks at a quarter of the size (Johnson et al. 2016; Zhu et al. 2017).

    arXiv 1703.10593, section 7.2: a convolution of 7 pixels, two that halve, the blocks, two transposed that double,
    one of 7 pixels and tanh; instance norm without parameters. It takes images of any size, multiples of 4.

    Args:
        channels: of the images made.
        source_channels: of the images that they are made of.
        width: channels of the first layer; the blocks have four times as many.
        blocks: 6 for images up to 128 pixels, 9 for larger ones, in the paper.
    """

    def __init__(self, channels: int, source_channels: int, width: int, blocks: int) -> None:
        super().__init__()
        require_positive(channels=channels, source_channels=source_channels, width=width, blocks=blocks)

        def normed(layer: nn.Module, c: int) -> list[nn.Module]:
            return [layer, nn.InstanceNorm2d(c), nn.ReLU()]

        self.layers = nn.Sequential(
            nn.ReflectionPad2d(3),
            *normed(nn.Conv2d(source_channels, width, 7), width),
            *normed(nn.Conv2d(width, 2 * width, 3, 2, 1), 2 * width),
            *normed(nn.Conv2d(2 * width, 4 * width, 3, 2, 1), 4 * width),
            *(ResidualBlock(4 * width) for _ in range(blocks)),
            *normed(nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, 1, 1), 2 * width),
            *normed(nn.ConvTranspose2d(2 * width, width, 3, 2, 1, 1), width),
            nn.ReflectionPad2d(3),
            nn.Conv2d(width, channels, 7),
            nn.Tanh(),
        )
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given images (N, source_channels, H, W) to images (N, channels, H, W) in [-1, 1].

        Raises:
            ValueError: a side of the images is no multiple of 4.
        """
        x = image_in(given)
        if x.shape[2] % 4 or x.shape[3] % 4:
            raise ValueError(f"images of {x.shape[2]}x{x.shape[3]} pixels: both sides must be multiples of 4")
        made: Tensor = self.layers(x)
        return made
