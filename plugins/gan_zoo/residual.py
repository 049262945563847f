"""The residual blocks of SNGAN (Miyato et al. 2018, arXiv 1802.05957, appendix B, figure 8)."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F

from gan_zoo.layers import given


class ConditionalBatchNorm2d(nn.Module):
    """Batch norm whose gain and bias depend on the class (de Vries et al. 2017, arXiv 1707.00683).

    Every class starts with gain 1 and bias 0, so that the layer starts as plain batch norm.

    Args:
        features: channels of the input.
        num_classes: the number of classes.
    """

    def __init__(self, features: int, num_classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(features, affine=False)
        self.gain = nn.Embedding(num_classes, features)
        self.bias = nn.Embedding(num_classes, features)
        nn.init.ones_(self.gain.weight)
        nn.init.zeros_(self.bias.weight)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Normalise maps (N, features, H, W) of classes (N,)."""
        gain, bias = self.gain(labels), self.bias(labels)
        return self.norm(x) * gain[:, :, None, None] + bias[:, :, None, None]  # type: ignore[no-any-return]


class UpBlock(nn.Module):
    """A residual block of the generator that doubles the size: norm, ReLU, upsample, convolve, norm, ReLU, convolve.

    Args:
        width: channels of input and output.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1: nn.Module = nn.BatchNorm2d(width)
        self.norm2: nn.Module = nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.shortcut = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """Map (N, width, H, W) to (N, width, 2H, 2W)."""
        h = self.conv1(F.interpolate(F.relu(_normalise(self.norm1, x, labels)), scale_factor=2))
        h = self.conv2(F.relu(_normalise(self.norm2, h, labels)))
        # A 1x1 convolution of the repeated pixels is the repetition of its output, at a quarter of the cost.
        return h + F.interpolate(self.shortcut(x), scale_factor=2)  # type: ignore[no-any-return]


def _normalise(norm: nn.Module, x: Tensor, labels: Tensor | None) -> Tensor:
    return norm(x, given(labels)) if isinstance(norm, ConditionalBatchNorm2d) else norm(x)  # type: ignore[no-any-return]


class DownBlock(nn.Module):
    """A residual block of the discriminator: ReLU, convolve, ReLU, convolve, and average pooling if it halves the size.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        halve: whether to halve the size.
        first: whether the input is an image, which no ReLU may cut.
    """

    def __init__(self, inputs: int, outputs: int, halve: bool, first: bool = False) -> None:
        super().__init__()
        self.first = first
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.pool = nn.AvgPool2d(2) if halve else nn.Identity()
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if halve or inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W), or half the size."""
        h = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        # Pooling first gives the same shortcut, as both are linear, at a quarter of the cost.
        return self.pool(h) + self.shortcut(self.pool(x))  # type: ignore[no-any-return]


def init_residual(network: nn.Module) -> None:
    """Draw weights as SNGAN does: Xavier uniform, with gain sqrt(2) inside the blocks; biases 0."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    for block in network.modules():
        if isinstance(block, (UpBlock, DownBlock)):
            nn.init.xavier_uniform_(block.conv1.weight, math.sqrt(2))
            nn.init.xavier_uniform_(block.conv2.weight, math.sqrt(2))
