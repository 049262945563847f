"""Convolutions whose weights a style scales (StyleGAN2, Karras et al. 2020, arXiv 1912.04958, section 2.2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_zoo.blur import Blur
from gan_zoo.equalised import EqualisedLinear, leaky_with_gain

EPSILON = 1e-8


class ModulatedConv(nn.Module):
    """A convolution with the weights W' = W s, of input channels scaled by s = A(w), and demodulated to norm 1.

    W'' = W' / √(Σ W'² + ε), the sum over input channels and kernel (equation 3). Both scales can stand at the maps in
    place of the weights, so that a batch is one convolution.

    Args:
        style_size: the size of w.
        inputs: channels of the input.
        outputs: channels of the output.
        kernel: its size.
        demodulate: whether to.
        enlarge: whether to double the size, by a transposed convolution and a binomial filter.
    """

    def __init__(
        self, style_size: int, inputs: int, outputs: int, kernel: int, demodulate: bool = True, enlarge: bool = False
    ) -> None:
        super().__init__()
        self.affine = EqualisedLinear(style_size, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.scale = 1 / math.sqrt(inputs * kernel * kernel)
        self.demodulate = demodulate
        self.blur = Blur(padding=1, gain=4.0) if enlarge else None

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (N, inputs, H, W) in the styles of w (N, D) to (N, outputs, H, W), or twice the size."""
        style = self.affine(w)
        return self.in_style(x, style)

    def in_style(self, x: Tensor, style: Tensor) -> Tensor:
        """Map (N, inputs, H, W) with scales (N, inputs) of the input channels."""
        weight = self.weight * self.scale
        x = x * style[:, :, None, None].to(x.dtype)
        if self.blur is None:
            x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        else:
            x = self.blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        if self.demodulate:
            x = x * self.demodulation(style)[:, :, None, None].to(x.dtype)
        return x

    def demodulation(self, style: Tensor) -> Tensor:
        """Return 1 / √(Σ W'² + ε) for scales (N, inputs) of the input channels, (N, outputs)."""
        # Half precision has neither the range nor the ε.
        squares = (self.weight * self.scale).float().square().sum((2, 3))
        with torch.autocast(style.device.type, enabled=False):
            return (style.float().square() @ squares.t() + EPSILON).rsqrt()


class Noise(nn.Module):
    """Adds a map of normal noise, times a learnt strength that begins at 0: new in training, fixed in evaluation.

    Args:
        height: of the maps.
        width: of the maps.
    """

    fixed: Tensor

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("fixed", torch.randn(height, width))

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (N, C, height, width) with the same noise in all channels."""
        if self.training:
            noise = torch.randn(x.shape[0], 1, *x.shape[2:], device=x.device, dtype=x.dtype)
        else:
            noise = self.fixed.to(x.dtype)
        return x + self.strength.to(x.dtype) * noise


class StyledLayer(nn.Module):
    """A modulated 3x3 convolution, noise, a bias and a leaky ReLU times √2.

    Args:
        style_size: the size of w.
        inputs: channels of the input.
        outputs: channels of the output.
        height: of the output.
        width: of the output.
        enlarge: whether it doubles the size.
    """

    def __init__(self, style_size: int, inputs: int, outputs: int, height: int, width: int, enlarge: bool) -> None:
        super().__init__()
        self.convolution = ModulatedConv(style_size, inputs, outputs, 3, enlarge=enlarge)
        self.noise = Noise(height, width)
        self.bias = nn.Parameter(torch.zeros(outputs, 1, 1))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (N, inputs, H, W) in the styles of w (N, D) to (N, outputs, height, width)."""
        return leaky_with_gain(self.noise(self.convolution(x, w)) + self.bias)


class ToImage(nn.Module):
    """A modulated 1x1 convolution without demodulation, and a bias.

    Args:
        style_size: the size of w.
        inputs: channels of the input.
        channels: of the images.
    """

    def __init__(self, style_size: int, inputs: int, channels: int) -> None:
        super().__init__()
        self.convolution = ModulatedConv(style_size, inputs, channels, 1, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (N, inputs, H, W) in the styles of w (N, D) to images (N, channels, H, W)."""
        image: Tensor = self.convolution(x, w) + self.bias
        return image
