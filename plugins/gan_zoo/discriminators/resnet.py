"""The residual discriminator of SNGAN."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Discriminator
from gan_zoo.residual import DownBlock, init_residual


class ResNetDiscriminator(Discriminator):
    """Four residual blocks, the first two halve the size, then a sum over positions (Miyato et al. 2018, table 3).

    It takes images of any size, and has no normalisation of its own: SNGAN adds spectral
    normalisation (`strategy=[spectral_norm]`).

    Args:
        channels: of the images.
        width: channels of every block.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            [
                DownBlock(channels, width, halve=True, first=True),
                DownBlock(width, width, halve=True),
                DownBlock(width, width, halve=False),
                DownBlock(width, width, halve=False),
            ]
        )
        self.output = nn.Linear(width, 1)
        init_residual(self)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) in [-1, 1], then their sum (N, width)."""
        activations = []
        for block in self.blocks:
            x = block(x)
            activations.append(x)
        return *activations, F.relu(x).sum((2, 3))
