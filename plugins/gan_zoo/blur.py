"""Resampling of maps by a factor of 2 with a binomial filter in place of repetition and plain striding."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_zoo.grouped import Form, convolved

BINOMIAL = (1.0, 3.0, 3.0, 1.0)
"""The filter of StyleGAN2 (Karras et al. 2020, arXiv 1912.04958, appendix B) and R3GAN; of sum 8."""


class Filtered(nn.Module):
    """The base of layers that filter each channel of maps with [1, 3, 3, 1] ⊗ [1, 3, 3, 1] / 64; outside they are 0.

    Args:
        gain: what the filter is multiplied by.
    """

    kernel: Tensor

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        line = torch.tensor(BINOMIAL) / sum(BINOMIAL)
        self.register_buffer("kernel", gain * (line[:, None] * line)[None, None], persistent=False)

    def for_each(self, x: Tensor) -> Tensor:
        """Return the filter as the weights (C, 1, 4, 4) of a convolution with a group for each channel of x."""
        return self.kernel.to(x.dtype).expand(int(x.shape[1]), 1, -1, -1)  # a number for tracers, too


class Enlarge(Filtered):
    """Doubles the size: zeros between the pixels, then the filter with a gain of 4, which keeps the mean."""

    def __init__(self) -> None:
        super().__init__(4.0)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, 2H, 2W)."""
        return convolved(x, self.for_each(x), Form((2, 2), (1, 1), int(x.shape[1]), transposed=True))


class Reduce(Filtered):
    """Halves the size: the filter, then every other pixel."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H/2, W/2)."""
        return convolved(x, self.for_each(x), Form((2, 2), (1, 1), int(x.shape[1])))


class Blur(Filtered):
    """The filter alone.

    Args:
        padding: zeros around the maps; the size changes by twice that less 3.
        gain: what the filter is multiplied by.
    """

    def __init__(self, padding: int, gain: float = 1.0) -> None:
        super().__init__(gain)
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H + 2 padding - 3, ...)."""
        return convolved(x, self.for_each(x), Form((1, 1), (self.padding, self.padding), int(x.shape[1])))
