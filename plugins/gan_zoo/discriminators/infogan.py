"""The InfoGAN discriminator."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import init_normal, quarter


class InfoGANDiscriminator(Discriminator):
    """Two strided convolutions, then a fully connected layer (Chen et al. 2016, arXiv 1606.03657, table 1).

    At 28 pixels: 14x14x64 -> 7x7x128 -> 1024, leaky ReLU 0.2 after each, batch norm in the last two. As in
    the authors' code, the norm comes before the activation: right before the last layer it would give
    every batch, real or generated, the same mean logit, and D could hardly tell them apart.

    Args:
        image_size: a multiple of 4.
        channels: of the images.
        width: channels of the first layer.
        hidden: the size of the fully connected layer.
    """

    def __init__(self, image_size: int, channels: int, width: int, hidden: int) -> None:
        super().__init__()
        base = quarter(image_size)
        wide = 2 * width
        self.blocks = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)),
                nn.Sequential(nn.Conv2d(width, wide, 4, 2, 1), nn.BatchNorm2d(wide), nn.LeakyReLU(0.2, inplace=True)),
                nn.Sequential(
                    nn.Flatten(),
                    nn.Linear(base * base * wide, hidden),
                    nn.BatchNorm1d(hidden),
                    nn.LeakyReLU(0.2, inplace=True),
                ),
            ]
        )
        self.output = nn.Linear(hidden, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) in [-1, 1]."""
        activations = []
        for block in self.blocks:
            x = block(x)
            activations.append(x)
        return tuple(activations)
