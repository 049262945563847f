"""Vectorised drawing for the made pairs: smooth noise, plain shapes, textures, branching lines."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def places(size: int) -> tuple[Tensor, Tensor]:
    """Return the rows (size, 1) and the columns (1, size) of pixels' centres."""
    line = torch.arange(size) + 0.5
    return line[:, None], line[None]


def clouds(n: int, channels: int, size: int, random: torch.Generator, cells: int = 4) -> Tensor:
    """Return smooth noise (n, channels, size, size) in [0, 1]: random values on a coarse grid, in between by cubics."""
    coarse = torch.rand(n, channels, cells, cells, generator=random)
    return F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True).clamp(0, 1)


def uniform(n: int, low: float, high: float, random: torch.Generator) -> Tensor:
    """Return n numbers from U(low, high)."""
    return low + (high - low) * torch.rand(n, generator=random)


def inside(kind: Tensor, x: Tensor, y: Tensor, radius: Tensor, size: int) -> Tensor:
    """Return masks (N, 1, size, size) in {0, 1} of circles (kind 0), squares (1) and triangles (2)."""
    rows, columns = places(size)
    down, across = rows - y[:, None, None], columns - x[:, None, None]
    r = radius[:, None, None]
    circle = down.square() + across.square() < r.square()
    square = torch.maximum(down.abs(), across.abs()) < 0.85 * r
    triangle = (down < 0.7 * r) & (down + 1.2 * r > 1.9 * across.abs())
    stacked = torch.stack([circle, square, triangle], 1)
    return stacked[torch.arange(len(kind)), kind][:, None].float()


TEXTURES = ("stripes", "checks", "dots")


def textures(kind: Tensor, period: Tensor, angle: Tensor, size: int) -> Tensor:
    """Return textures (N, 1, size, size) in [0, 1]: waves of a period along an angle, checks and dots of both axes."""
    rows, columns = places(size)
    turn = 2 * math.pi / period[:, None, None]
    along = torch.cos(angle)[:, None, None] * columns + torch.sin(angle)[:, None, None] * rows
    beside = torch.cos(angle)[:, None, None] * rows - torch.sin(angle)[:, None, None] * columns
    first, second = torch.sin(turn * along), torch.sin(turn * beside)
    stacked = torch.stack([(4 * first).clamp(-1, 1), (4 * first * second).clamp(-1, 1), first * second.abs()], 1)
    return (stacked[torch.arange(len(kind)), kind][:, None] + 1) / 2


def trees(n: int, size: int, random: torch.Generator, levels: int = 3, steps: int = 10) -> Tensor:
    """Return trees (n, 1, size, size) in {0, 1}: random walks from a root that branch in two, 3 to 1 pixels wide."""
    rows, columns = places(size)
    x, y = uniform(n, 0.3 * size, 0.7 * size, random)[:, None], torch.full((n, 1), 1.0)
    heading = math.pi / 2 + uniform(n, -0.3, 0.3, random)[:, None]
    found = torch.zeros(n, size, size, dtype=torch.bool)
    stride = size / (levels * steps) * 1.1
    for level in range(levels):
        half = 1.5 - level / max(levels - 1, 1)
        for _ in range(steps):
            heading = heading + 0.2 * torch.randn(heading.shape, generator=random)
            x, y = x + stride * torch.cos(heading), y + stride * torch.sin(heading)
            for branch in range(x.shape[1]):
                down, across = rows - y[:, branch, None, None], columns - x[:, branch, None, None]
                found |= down.square() + across.square() < max(half, 0.75) ** 2
        apart = 0.35 + 0.35 * torch.rand(heading.shape, generator=random)
        heading = torch.cat([heading - apart, heading + apart], 1)
        x, y = torch.cat([x, x], 1), torch.cat([y, y], 1)
    return found[:, None].float()


def blurred(x: Tensor) -> Tensor:
    """Return images (N, C, H, W) blurred by a kernel (1, 2, 1) / 4 along both axes, borders repeated."""
    kernel = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = (kernel[:, None] * kernel)[None, None].expand(x.shape[1], 1, 3, 3)
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=x.shape[1])


def to_bytes(x: Tensor) -> Tensor:
    """Return images of any shape in [0, 1], cut where they leave it, as uint8 from 0 to 255."""
    return (x.clamp(0, 1) * 255).round().to(torch.uint8)
