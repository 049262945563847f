"""A generator that restores an image of a part of its spectrum, and keeps what was measured."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY, Generator
from gan_zoo.layers import init_normal
from gan_zoo.ranges import require_positive
from gan_zoo.translating import image_in


def consistent(image: Tensor, measured: Tensor, mask: Tensor) -> Tensor:
    """Return the real image (N, C, H, W) whose spectrum is that of `measured` where the mask is 1, else of `image`.

    F⁻¹(M F y + (1 - M) F g), in float32 or wider. What was measured is kept to rounding where M has with each
    frequency its opposite.
    """
    g, y = (x.float() if x.dtype in (torch.float16, torch.bfloat16) else x for x in (image, measured))
    made: Tensor = torch.fft.ifft2(mask * torch.fft.fft2(y) + (1 - mask) * torch.fft.fft2(g))
    return made.real


class UnrolledFourier(Generator):
    """Residual blocks and data consistency in turn (Mardani et al. 2017, arXiv 1706.00051, section 3).

    Each of `repeats` rounds adds to the image what residual blocks make of it, then puts back the measured part of
    the spectrum. Data must give the zero-filled image `source` and the `mask` of what was measured, both (N, C, H, W)
    and (N, 1, H, W), in the layout of `torch.fft.fft2`.

    Args:
        channels: of the images, made and given alike.
        width: channels of the blocks.
        blocks: residual blocks in a round.
        repeats: rounds; 1 to 5 in the paper.
    """

    def __init__(self, channels: int, width: int, blocks: int, repeats: int) -> None:
        super().__init__()
        require_positive(channels=channels, width=width, blocks=blocks, repeats=repeats)
        self.rounds = nn.ModuleList(_Round(channels, width, blocks) for _ in range(repeats))
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `source` and `mask` to images of the source's shape.

        Raises:
            ValueError: there is no mask.
        """
        if "mask" not in given:
            raise ValueError("no mask is given, of what was measured: choose data.task=fourier")
        source, mask = image_in(given), given["mask"]
        x = source
        for one in self.rounds:
            x = consistent(x + one(x), source, mask)
        return x


class _Round(nn.Module):
    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1),
            )
            for _ in range(blocks)
        )
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        made: Tensor = self.last(x)
        return made
