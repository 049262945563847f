"""The residual generator of SNGAN."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.layers import ImageSize, cropped, doublings
from gan_zoo.residual import UpBlock, init_residual


class ResNetGenerator(Generator):
    """Residual blocks that each double the size, at constant width (Miyato et al. 2018, arXiv 1802.05957, table 3).

    At 32 pixels: z -> 4x4x256 -> 8 -> 16 -> 32 -> batch norm, ReLU, 3x3 convolution, tanh.
    Other sizes begin with a map whose smaller side is from 4 to 7 pixels, and are cropped; see `DCGANGenerator`.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of every block.
    """

    def __init__(self, latent_dim: int, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__()
        self.image_size = image_size
        base, n = doublings(image_size)
        self.start = nn.Sequential(nn.Linear(latent_dim, width * base[0] * base[1]), nn.Unflatten(1, (width, *base)))
        self.blocks = nn.ModuleList(UpBlock(width) for _ in range(n))
        self.output = nn.Sequential(
            nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, channels, 3, padding=1), nn.Tanh()
        )
        init_residual(self)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        x = self.start(z)
        for block in self.blocks:
            x = block(x, labels)
        return cropped(self.output(x), self.image_size)
