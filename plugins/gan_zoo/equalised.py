"""Layers with an equalised learning rate, and what stands beside them in progressive and style-based networks.

Karras et al. 2018, arXiv 1710.10196, section 4.1: weights are drawn from N(0, 1) and scaled when they are used, so that
an optimizer that normalises its steps moves all of them at one speed.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2
"""Of the leaky ReLUs."""


class EqualisedLinear(nn.Module):
    """A fully connected layer whose weights are scaled by gain / √inputs.

    Args:
        inputs: the size of the input.
        outputs: the size of the output.
        gain: √2 before a ReLU.
        rate: the factor on the layer's learning rate; what it begins with does not change.
        bias: the value that the bias begins with; None for none.
    """

    def __init__(
        self, inputs: int, outputs: int, gain: float = 1.0, rate: float = 1.0, bias: float | None = 0.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate)) if bias is not None else None
        self.scale = gain * rate / math.sqrt(inputs)
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs) to (N, outputs)."""
        return F.linear(x, self.weight * self.scale, None if self.bias is None else self.bias * self.rate)


class EqualisedConv(nn.Module):
    """A convolution whose weights are scaled by gain / √fan_in.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        kernel: its size.
        gain: √2 before a ReLU.
        stride: pixels from one output to the next.
        padding: zeros around the maps; None for as many as keep the size.
        bias: whether there is one; it begins at 0.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        gain: float = math.sqrt(2),
        stride: int = 1,
        padding: int | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale = gain / math.sqrt(inputs * kernel * kernel)
        self.stride = stride
        self.padding = kernel // 2 if padding is None else padding

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H', W')."""
        return F.conv2d(x, self.weight * self.scale, self.bias, self.stride, self.padding)


class PixelNorm(nn.Module):
    """x / √(mean over channels of x²), so that the mean square over channels is 1 (section 4.2)."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, ...) along C."""
        return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


def leaky(x: Tensor) -> Tensor:
    """Return the leaky ReLU of x; its gain of √2 stands in the weights before."""
    return F.leaky_relu(x, SLOPE)


def leaky_with_gain(x: Tensor) -> Tensor:
    """Return √2 times the leaky ReLU of x, as style-based networks have it."""
    return math.sqrt(2) * F.leaky_relu(x, SLOPE)


class GroupDeviation(nn.Module):
    """One more map: the mean deviation of all features among a few samples of the batch (section 3).

    Samples i, i + N/4, i + 2N/4, ... are compared with each other. In evaluation mode too, so that a sample is judged
    together with others.

    Args:
        size: samples that are compared with each other; fewer where the batch is no multiple of it.
    """

    def __init__(self, size: int = 4) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C + 1, H, W)."""
        n, _, height, width = x.shape
        size = next(size for size in range(min(self.size, n), 0, -1) if n % size == 0)
        groups = x.unflatten(0, (size, n // size)).to(torch.promote_types(x.dtype, torch.float32))
        spread = groups.var(dim=0, correction=0).add(1e-8).sqrt().mean(dim=(1, 2, 3))
        return torch.cat([x, spread.to(x.dtype).repeat(size)[:, None, None, None].expand(n, 1, height, width)], dim=1)


ONE_BY_ANOTHER: dict[str, str] = {
    "scores_alone": "it compares samples of a batch with each other, in evaluation too, as published"
}
"""The check that a discriminator with `GroupDeviation` is exempt from."""
