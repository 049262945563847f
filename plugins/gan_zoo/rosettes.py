"""Rosettes of leaves: how they are drawn, and how their leaves are counted in any image."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

MOST = 8
"""The most leaves of a rosette."""

LEAF = (6.0, 2.0)
"""A leaf's half axes in an image of 32 pixels to a side, before it is larger or smaller by up to a fifth."""

SIDE = 32
GREEN, BROWN = (0.25, 0.65, 0.2), (0.4, 0.28, 0.16)

RING = (6.0, 9.0)
"""The radii between which leaves are looked for: all reach so far, and none touches another there."""

ANGLES = 120
"""Directions that are looked into."""

GREENEST = 0.15
"""By how much green must be above the other colours, of 1, at the greenest direction of an image that has leaves."""


def draw_rosettes(counts: Tensor, size: int, random: torch.Generator) -> Tensor:
    """Draw rosettes (N, 3, size, size) uint8 of so many leaves (N,): green ellipses about the middle of brown noise."""
    n = len(counts)
    turn = 2 * math.pi * torch.rand(n, 1, generator=random)
    number = torch.arange(MOST)
    angle = turn + 2 * math.pi * number / counts[:, None]
    scale = 0.8 + 0.4 * torch.rand(n, MOST, generator=random)
    middles = ((torch.arange(size) + 0.5) / size - 0.5) * SIDE
    x, y = middles[None, None], middles[:, None]
    cover = torch.zeros(n, size, size)
    for leaf in range(MOST):
        a, s = angle[:, leaf, None, None], scale[:, leaf, None, None]
        along = x * a.cos() + y * a.sin() - LEAF[0] * s - 1
        across = y * a.cos() - x * a.sin()
        inside = 1 - ((along / (LEAF[0] * s)).square() + (across / (LEAF[1] * s)).square()).sqrt()
        edge = (inside * LEAF[1] * size / SIDE + 0.5).clamp(0, 1)
        cover = torch.maximum(cover, edge * (leaf < counts)[:, None, None])
    ground = torch.tensor(BROWN)[:, None, None] + 0.06 * torch.randn(n, 1, size, size, generator=random)
    green = torch.tensor(GREEN)[:, None, None] * (0.85 + 0.3 * torch.rand(n, 1, 1, 1, generator=random))
    return ((ground + cover[:, None] * (green - ground)).clamp(0, 1) * 255).round().to(torch.uint8)


def count_leaves(images: Tensor) -> Tensor:
    """Return how many leaves rosettes (N, 3, H, H) uint8 have (N,): runs of green directions around the middle.

    A direction is green if there, on average over the ring, green is above the other colours by more than half of what
    it is in the greenest direction; a rosette without any that is clearly green, or all of which is, has none.
    """
    x = images.float() / 255
    greenness = (x[:, 1] - torch.maximum(x[:, 0], x[:, 2])).clamp(min=0)[:, None]
    angle = 2 * math.pi * torch.arange(ANGLES) / ANGLES
    radius = torch.linspace(RING[0], RING[1], 7)[:, None] / (SIDE / 2)
    grid = torch.stack([radius * angle.cos(), radius * angle.sin()], 2).expand(len(images), -1, -1, -1)
    profile = F.grid_sample(greenness, grid, align_corners=False)[:, 0].mean(1)
    greenest = profile.amax(1, keepdim=True)
    green = (profile > 0.5 * greenest) & (greenest > GREENEST)
    return (green & ~green.roll(1, 1)).sum(1)
