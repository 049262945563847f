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

    def filtered(self, x: Tensor, stride: int, padding: int, transposed: bool = False) -> Tensor:
        """Filter each channel of x by a convolution with a group for each."""
        channels = int(x.shape[1])  # a number for tracers, too
        kernel = self.kernel.to(x.dtype).expand(channels, 1, -1, -1)
        return convolved(x, kernel, Form((stride, stride), (padding, padding), channels, transposed))


class Enlarge(Filtered):
    """Doubles the size: zeros between the pixels, then the filter with a gain of 4, which keeps the mean."""

    def __init__(self) -> None:
        super().__init__(4.0)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, 2H, 2W)."""
        return self.filtered(x, stride=2, padding=1, transposed=True)


class Reduce(Filtered):
    """Halves the size: the filter, then every other pixel."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H/2, W/2)."""
        return self.filtered(x, stride=2, padding=1)


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
        return self.filtered(x, stride=1, padding=self.padding)
