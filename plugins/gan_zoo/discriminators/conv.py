"""The discriminator of the tutorial network with pooling."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import PIXELS, ImageSize, activations, choose, halved, init_truncated_normal


class ConvDiscriminator(Discriminator):
    """Two 5x5 convolutions that keep the size, each with ReLU and average pooling, then a hidden linear layer.

    Args:
        image_size: of square images, or height and width; at least 4 pixels on each side.
        channels: of the images.
        widths: channels of the two convolutions.
        hidden: units of the hidden linear layer.
        pixels: `unit` shows the network pixels in [0, 1], where it was published so; `symmetric` leaves samples as
            they are, in [-1, 1].
    """

    def __init__(self, image_size: ImageSize, channels: int, widths: list[int], hidden: int, pixels: str) -> None:
        super().__init__()
        positions = halved(image_size, 2)
        self.pixels = choose(PIXELS, "pixels", pixels)
        first, second = widths
        self.blocks = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(channels, first, 5, padding="same"), nn.ReLU(), nn.AvgPool2d(2)),
                nn.Sequential(nn.Conv2d(first, second, 5, padding="same"), nn.ReLU(), nn.AvgPool2d(2)),
                nn.Sequential(nn.Flatten(), nn.Linear(second * positions, hidden), nn.ReLU()),
            ]
        )
        self.output = nn.Linear(hidden, 1)
        init_truncated_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) in [-1, 1]."""
        x = self.pixels(x)
        return activations(self.blocks, x)
