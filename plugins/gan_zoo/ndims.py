"""DCGAN's convolutions in one, two or three dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_zoo.layers import OUTPUTS, choose
from gan_zoo.ranges import require_positive

CONVOLUTIONS: dict[int, type[nn.Module]] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: dict[int, type[nn.Module]] = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
BATCH_NORMS: dict[int, type[nn.Module]] = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}

ALL = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Linear)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def known_dims(shape: Sequence[int]) -> int:
    """Return the number of dimensions of a sample (C, ...) beside its channels.

    Raises:
        ValueError: they are not one to three.
    """
    dims = len(shape) - 1
    if dims not in CONVOLUTIONS or min(shape) < 1:
        raise ValueError(f"shape={list(shape)}: channels, and one to three sizes")
    return dims


def norm_of(norm: str, channels: int, dims: int) -> nn.Module:
    """Return a norm: `batch`, `layer` (over channels and places), `instance` or `none`."""
    options: dict[str, Callable[[], nn.Module]] = {
        "batch": lambda: BATCH_NORMS[dims](channels),
        "layer": lambda: nn.GroupNorm(1, channels),
        "instance": lambda: nn.GroupNorm(channels, channels),
        "none": nn.Identity,
    }
    return choose(options, "norm", norm)


def levels(sizes: Sequence[int], stride: int, last: int) -> tuple[int, tuple[int, ...]]:
    """Return how often the largest size is divided by the stride until it is at most `last`, and what is left of all.

    Raises:
        ValueError: it is divided never.
    """
    n = 0
    while -(-max(sizes) // stride**n) > last:
        n += 1
    if n < 1:
        raise ValueError(f"sizes {list(sizes)}: the largest must be more than {last}")
    return n, tuple(-(-size // stride**n) for size in sizes)


def enlarging(kernel: int, stride: int) -> tuple[int, int]:
    """Return the padding and output padding of a transposed convolution that multiplies sizes by its stride.

    Raises:
        ValueError: the kernel is smaller than the stride.
    """
    if kernel < stride:
        raise ValueError(f"kernel={kernel}: it must be at least the stride, {stride}")
    padding = -(-(kernel - stride) // 2)
    return padding, stride - kernel + 2 * padding


def up(
    inputs: int, shape: Sequence[int], width: int, kernel: int, stride: int, last: int, norm: str, output: str
) -> nn.Sequential:
    """Return layers from z (N, inputs) to samples (N, C, ...), as DCGAN's generator: ReLU, widths that are halved.

    Sizes that are no such multiple are made larger; `cut` takes their middle.
    """
    require_positive(width=width)
    dims = known_dims(shape)
    n, base = levels(shape[1:], stride, last)
    widths = [width * 2**i for i in reversed(range(n))]
    padding, extra = enlarging(kernel, stride)
    layers: list[nn.Module] = [
        nn.Unflatten(1, (inputs, *[1] * dims)),
        TRANSPOSED[dims](inputs, widths[0], base),
        norm_of(norm, widths[0], dims),
        nn.ReLU(),
    ]
    for wide, narrow in pairwise(widths):
        layers += [
            TRANSPOSED[dims](wide, narrow, kernel, stride, padding, extra),
            norm_of(norm, narrow, dims),
            nn.ReLU(),
        ]
    layers += [
        TRANSPOSED[dims](widths[-1], shape[0], kernel, stride, padding, extra),
        choose(OUTPUTS, "output", output),
    ]
    return nn.Sequential(*layers)


def down(
    shape: Sequence[int], width: int, kernel: int, stride: int, last: int, norm: str
) -> tuple[list[nn.Module], int]:
    """Return blocks from samples (N, C, ...) to the last map, as DCGAN's discriminator, and its number of values."""
    require_positive(width=width)
    dims = known_dims(shape)
    n, _ = levels(shape[1:], stride, last)
    padding = -(-(kernel - stride) // 2)
    blocks: list[nn.Module] = []
    channels, sizes = shape[0], [*shape[1:]]
    for i in range(n):
        # Short sides (a few frames) stop at 1.
        kernels = tuple(kernel if size + 2 * padding >= kernel else size for size in sizes)
        paddings = tuple(padding if k == kernel else 0 for k in kernels)
        layers = [CONVOLUTIONS[dims](channels, width * 2**i, kernels, stride, paddings)]
        layers += [norm_of(norm, width * 2**i, dims)] if i else []
        blocks.append(nn.Sequential(*layers, nn.LeakyReLU(0.2)))
        channels = width * 2**i
        sizes = [(size + 2 * p - k) // stride + 1 for size, p, k in zip(sizes, paddings, kernels, strict=True)]
    return blocks, channels * math.prod(sizes)


def cut(samples: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return the middle (N, C, *sizes) of samples that are at least as large."""
    for dim, size in enumerate(sizes, 2):
        extra = samples.shape[dim] - size
        if extra:
            samples = samples.narrow(dim, extra // 2, size)
    return samples


def init_dcgan(module: nn.Module, std: float = 0.02) -> None:
    """Draw weights of convolutions and linear layers from N(0, std), scales of batch norms from N(1, std); biases 0."""
    for layer in module.modules():
        if isinstance(layer, ALL):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, NORMS):
            nn.init.normal_(layer.weight, 1.0, std)
            nn.init.zeros_(layer.bias)


def as_volume(video: Tensor) -> Tensor:
    """Return videos (N, T, C, H, W) as volumes (N, C, T, H, W), or the other way round."""
    return video.transpose(1, 2)


def volume_shape(shape: Sequence[int], time_first: bool) -> tuple[int, ...]:
    """Return the shape (C, ...) in which a sample goes through convolutions."""
    return (shape[1], shape[0], *shape[2:]) if time_first else tuple(shape)


def in_order(samples: Tensor, time_first: bool) -> Tensor:
    """Return samples with time in the place that networks, or data, have it."""
    return as_volume(samples) if time_first else samples


def joined(x: Tensor, given: Sequence[Tensor]) -> Tensor:
    """Return samples (N, C, ...) with what is given beside them as further channels."""
    return torch.cat([x, *given], 1) if given else x
