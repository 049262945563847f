"""The generator of SRGAN: larger images of small ones."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from gan_framework.api import EMPTY, Generator
from gan_zoo.ranges import require_positive
from gan_zoo.translating import image_in

SCALES = (1, 2, 4, 8, 16)


class SRResNetGenerator(Generator):
    """Residual blocks at the small size, then a doubling by pixel shuffle for each factor of 2 (Ledig et al. 2017).

    arXiv 1609.04802, figure 4: C9 and PReLU; blocks of C3, BN, PReLU, C3, BN; C3 and BN, to which what came before the
    blocks is added; for each doubling C3 to four times the channels, shuffle, PReLU; C9. A tanh at the end keeps images
    in [-1, 1].

    Args:
        channels: of the images made.
        source_channels: of the images that they are made of.
        width: channels of every layer.
        blocks: 16 in the paper.
        scale: how many times as large the images become: 1, 2, 4, 8 or 16.
    """

    def __init__(self, channels: int, source_channels: int, width: int, blocks: int, scale: int) -> None:
        super().__init__()
        require_positive(channels=channels, source_channels=source_channels, width=width, blocks=blocks)
        if scale not in SCALES:
            raise ValueError(f"scale={scale}: it must be one of {', '.join(map(str, SCALES))}")
        self.first = nn.Sequential(nn.Conv2d(source_channels, width, 9, padding=4), nn.PReLU())
        self.blocks = nn.ModuleList(_block(width) for _ in range(blocks))
        self.last = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        doublings = SCALES.index(scale)
        self.up = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU())
                for _ in range(doublings)
            )
        )
        self.image = nn.Conv2d(width, channels, 9, padding=4)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given images (N, source_channels, h, w) to images (N, channels, scale h, scale w) in [-1, 1]."""
        first = self.first(image_in(given))
        x = first
        for block in self.blocks:
            x = x + block(x)
        made: Tensor = self.image(self.up(first + self.last(x))).tanh()
        return made


def _block(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.PReLU(),
        nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
    )
