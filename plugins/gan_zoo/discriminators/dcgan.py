"""The DCGAN discriminator."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.generators.dcgan import DOUBLING, check_kernel
from gan_zoo.layers import ImageSize, activations, choose, doublings, halved, init_normal, sides
from gan_zoo.ranges import require_below_one, require_positive


class DCGANDiscriminator(Discriminator):
    """Strided convolutions with leaky ReLU 0.2 and batch norm, linear at the end (Radford et al. 2015, section 3).

    It mirrors the generator: each of the n layers halves the size, odd ones rounded down, and doubles the channels,
    until the smaller side is from 4 to 7 pixels. There is no normalisation at the input.

    Args:
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the first layer.
        norm: `batch` as in the paper; `layer`, `instance` or `none` where each sample must be judged
            alone, as gradient penalties ask.
        dropout: the share of each layer's activations that are dropped in training; 0 as in the paper.
        kernel: height and width of the kernels: 4, as in later programs, or 5, as in the authors'.
    """

    def __init__(
        self, image_size: ImageSize, channels: int, width: int, norm: str, dropout: float = 0.0, kernel: int = 4
    ) -> None:
        super().__init__()
        require_positive(channels=channels, width=width)
        require_below_one(dropout=dropout)
        padding = DOUBLING[check_kernel(kernel)][0]
        dropped = [nn.Dropout(dropout)] if dropout else []
        _, n = doublings(image_size)
        blocks: list[nn.Module] = [
            nn.Sequential(nn.Conv2d(channels, width, kernel, 2, padding), nn.LeakyReLU(0.2, inplace=True), *dropped)
        ]
        for i in range(1, n):
            narrow, wide = width * 2 ** (i - 1), width * 2**i
            norms: dict[str, Callable[[], nn.Module]] = {
                "batch": lambda c=wide: nn.BatchNorm2d(c),  # type: ignore[misc]
                "layer": lambda c=wide: nn.GroupNorm(1, c),  # type: ignore[misc]
                "instance": lambda c=wide: nn.InstanceNorm2d(c, affine=True),  # type: ignore[misc]
                "none": nn.Identity,
            }
            blocks.append(
                nn.Sequential(
                    nn.Conv2d(narrow, wide, kernel, 2, padding, bias=norm == "none"),
                    choose(norms, "norm", norm),
                    nn.LeakyReLU(0.2, inplace=True),
                    *dropped,
                )
            )
        self.blocks = nn.ModuleList(blocks)
        # The larger kernel rounds odd sides up.
        places = halved(image_size, n) if kernel == 4 else math.prod(-(-side // 2**n) for side in sides(image_size))
        self.output = nn.Linear(width * 2 ** (n - 1) * places, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)
