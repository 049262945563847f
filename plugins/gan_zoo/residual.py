"""The residual blocks of SNGAN (Miyato et al. 2018, arXiv 1802.05957, appendix B, figure 8) and of what followed it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from gan_zoo.attention import SelfAttention
from gan_zoo.layers import ImageSize, PlainEmbedding, given, sides
from gan_zoo.ranges import require_positive
from gan_zoo.recomputing import recomputed

MOST = 16
"""Widths that double from block to block stop at so many times the narrowest."""

HIDDEN = ("outputs", "inputs")

Widths = list[int] | str | None
"""The setting `widths`: of each block, or `by_size`; None for the same everywhere."""


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
        self.gain = PlainEmbedding(num_classes, features)
        self.bias = PlainEmbedding(num_classes, features)
        nn.init.ones_(self.gain.weight)
        nn.init.zeros_(self.bias.weight)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Normalise maps (N, features, H, W) of classes (N,)."""
        gain, bias = self.gain(labels), self.bias(labels)
        return self.norm(x) * gain[:, :, None, None] + bias[:, :, None, None]  # type: ignore[no-any-return]


class VectorBatchNorm2d(nn.Module):
    """Batch norm with gain 1 + A c and bias B c of a vector c (Brock et al. 2018, arXiv 1809.11096, appendix B).

    With A = B = 0 it is plain batch norm.

    Args:
        features: channels of the input.
        size: of c, or the number of classes.
        looked_up: whether c is a class, for which A and B are looked up.
    """

    def __init__(self, features: int, size: int, looked_up: bool = False) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(features, affine=False)
        self.gain, self.bias = (
            PlainEmbedding(size, features) if looked_up else nn.Linear(size, features, bias=False) for _ in range(2)
        )

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """Normalise maps (N, features, H, W) that belong to vectors (N, size), or to classes (N,)."""
        gain, bias = 1 + self.gain(c), self.bias(c)
        return self.norm(x) * gain[:, :, None, None] + bias[:, :, None, None]  # type: ignore[no-any-return]


CONDITIONED = (ConditionalBatchNorm2d, VectorBatchNorm2d)
"""Norms that are given what their gain and bias depend on."""


class UpBlock(nn.Module):
    """A residual block of the generator that doubles the size: norm, ReLU, upsample, convolve, norm, ReLU, convolve.

    Args:
        inputs: channels of the input.
        outputs: channels of the output and between the convolutions; as many as of the input if None.
        norm: makes a norm of so many channels.
    """

    def __init__(
        self, inputs: int, outputs: int | None = None, norm: Callable[[int], nn.Module] = nn.BatchNorm2d
    ) -> None:
        super().__init__()
        outputs = inputs if outputs is None else outputs
        self.norm1 = norm(inputs)
        self.norm2 = norm(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, 2H, 2W); norms that depend on something are given the condition."""
        h = self.conv1(F.interpolate(F.relu(normalised(self.norm1, x, condition)), scale_factor=2))
        h = self.conv2(F.relu(normalised(self.norm2, h, condition)))
        # A 1x1 convolution of the repeated pixels is the repetition of its output, at a quarter of the cost.
        return h + F.interpolate(self.shortcut(x), scale_factor=2)  # type: ignore[no-any-return]


def normalised(norm: nn.Module, x: Tensor, condition: Tensor | None) -> Tensor:
    """Return maps (N, C, H, W) after a norm, which is given the condition if it depends on one."""
    return norm(x, given(condition)) if isinstance(norm, CONDITIONED) else norm(x)  # type: ignore[no-any-return]


class DownBlock(nn.Module):
    """A residual block of the discriminator: ReLU, convolve, ReLU, convolve, and average pooling if it halves the size.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        halve: whether to halve the size.
        first: whether the input is an image, which no ReLU may cut.
        hidden: channels between the convolutions; as many as of the output if None.
    """

    def __init__(self, inputs: int, outputs: int, halve: bool, first: bool = False, hidden: int | None = None) -> None:
        super().__init__()
        self.first = first
        hidden = outputs if hidden is None else hidden
        self.conv1 = nn.Conv2d(inputs, hidden, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden, outputs, 3, padding=1)
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
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for block in network.modules():
        if isinstance(block, (UpBlock, DownBlock)):
            nn.init.xavier_uniform_(block.conv1.weight, math.sqrt(2))
            nn.init.xavier_uniform_(block.conv2.weight, math.sqrt(2))


def rising(width: int, widths: Widths, blocks: int) -> list[int]:
    """Return the channels of a discriminator's blocks, or, backwards, of a generator's maps.

    Args:
        width: of the first; of all if `widths` is None.
        widths: None, `by_size` (they double up to 16 times the first), or themselves.
        blocks: how many.

    Raises:
        ValueError: there are not so many, or none has such a rule.
    """
    require_positive(width=width)
    if widths is None:
        return [width] * blocks
    if isinstance(widths, str):
        if widths != "by_size":
            raise ValueError(f"widths={widths!r}: write by_size, one width for each of the {blocks} maps, or null")
        return [width * min(2**i, MOST) for i in range(blocks)]
    found = [*widths]
    if len(found) != blocks or min(found) < 1:
        raise ValueError(f"widths={found}: at this image size {blocks} of at least 1 are needed")
    return found


def attention_after(
    attention: int | str | None, image_size: ImageSize, sizes: list[int], widths: list[int], deep: int = 1
) -> nn.ModuleDict:
    """Return a layer of self-attention by the index of the block that it comes after; an empty one has no state.

    Args:
        attention: the smaller side of the maps that it sees; `by_size` for half that of the images, at most 32 (Zhang
            et al. 2019, arXiv 1805.08318, section 5); None for no attention.
        image_size: of the images.
        sizes: the smaller sides of the maps that the stages make, one after another.
        widths: the channels of these maps.
        deep: blocks in every stage.

    Raises:
        ValueError: no stage makes maps of that size.
    """
    if attention is None:
        return nn.ModuleDict()
    if isinstance(attention, str):
        if attention != "by_size":
            raise ValueError(f"attention={attention!r}: write by_size, a size of maps, or null")
        attention = min(min(sides(image_size)) // 2, 32)
    if attention not in sizes:
        known = ", ".join(map(str, dict.fromkeys(sizes)))
        raise ValueError(f"attention={attention}: the blocks make maps of {known} pixels; choose one of them, or null")
    place = sizes.index(attention)
    return nn.ModuleDict({str((place + 1) * deep - 1): SelfAttention(widths[place])})


def through(
    blocks: nn.ModuleList,
    attention: nn.ModuleDict,
    x: Tensor,
    given: Sequence[Tensor | None] | None = None,
    recompute: bool = False,
) -> list[Tensor]:
    """Return the activations after every block, and the attention that comes after it.

    Args:
        blocks: called one after another.
        attention: by the index of the block that it comes after.
        x: goes into the first block.
        given: what each block is given beside; None for blocks that take maps alone.
        recompute: whether what is inside a block is computed once more for the gradient, in place of being kept.
    """
    found = []
    for index, block in enumerate(blocks):
        inputs = (x,) if given is None else (x, given[index])
        x = recomputed(block, *inputs) if recompute else block(*inputs)
        if str(index) in attention:
            x = attention[str(index)](x)
        found.append(x)
    return found


def images_of(width: int, channels: int) -> nn.Sequential:
    """Return the last layers of residual generators, from maps (N, width, H, W) to images (N, channels, H, W)."""
    return nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, channels, 3, padding=1), nn.Tanh())
