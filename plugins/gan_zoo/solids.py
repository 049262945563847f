"""Solids of random sizes: boxes, balls, cylinders, tables and chairs, as formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

KINDS = ("box", "ball", "cylinder", "table", "chair")

PARTS = 6
"""A solid is of so many boxes at most."""


@dataclass(frozen=True)
class Solids:
    """N solids in [-1, 1]³; z points upwards.

    Attributes:
        kind: the number of each one's kind (N,).
        centre: of the boxes that it is of (N, 6, 3).
        half: their half extents (N, 6, 3), 0 for boxes that there are not; of balls the radius, of cylinders the radius
            and half the height, in the first one.
    """

    kind: Tensor
    centre: Tensor
    half: Tensor


def make_solids(n: int, random: torch.Generator) -> Solids:
    """Return n solids, the kinds in turn."""
    kind = torch.arange(n) % len(KINDS)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(n, *shape, generator=random)

    half, centre = torch.zeros(n, PARTS, 3), torch.zeros(n, PARTS, 3)
    extent = uniform(0.35, 0.8, 3)
    radius = uniform(0.4, 0.8)
    half[:, 0] = torch.where((kind == 1)[:, None], radius[:, None], extent)
    half[kind == 2, 0, 1] = half[kind == 2, 0, 0]
    width, depth, leg = uniform(0.5, 0.8), uniform(0.5, 0.8), uniform(0.1, 0.16)
    thick = uniform(0.1, 0.16)
    top = uniform(0.35, 0.75)
    for number, seat in ((3, top), (4, uniform(-0.25, 0.1))):
        of = kind == number
        half[of, 0] = torch.stack([width, depth, thick], 1)[of]
        centre[of, 0] = torch.stack([0 * seat, 0 * seat, seat], 1)[of]
        low = torch.full_like(seat, -0.8)
        for corner in range(4):
            x, y = (1.0 if corner & bit else -1.0 for bit in (1, 2))
            half[of, corner + 1] = torch.stack([leg, leg, (seat - low) / 2], 1)[of]
            place = torch.stack([x * (width - leg), y * (depth - leg), (seat + low) / 2], 1)
            centre[of, corner + 1] = place[of]
        if number == 4:
            half[of, 5] = torch.stack([width, thick, (0.8 - seat) / 2], 1)[of]
            centre[of, 5] = torch.stack([0 * seat, depth - thick, (0.8 + seat) / 2], 1)[of]
    return Solids(kind, centre, half)


def voxels(solids: Solids, size: int) -> Tensor:
    """Return which cells of a grid are inside (N, size, size, size) bool, in the order z, y, x."""
    at = (torch.arange(size) + 0.5) / size * 2 - 1
    z, y, x = torch.meshgrid(at, at, at, indexing="ij")
    places = torch.stack([x, y, z], -1)
    found = torch.zeros(len(solids.kind), size, size, size, dtype=torch.bool)
    for part in range(PARTS):
        half, centre = solids.half[:, part], solids.centre[:, part]
        there = half.amin(1) > 0
        boxes = there & (solids.kind != 1) & (solids.kind != 2)
        if bool(boxes.any()):
            away = (places[None] - centre[boxes, None, None, None]).abs()
            found[boxes] |= (away <= half[boxes, None, None, None]).all(-1)
    balls, cylinders = solids.kind == 1, solids.kind == 2
    radius = solids.half[:, 0, 0, None, None, None]
    found[balls] = places.square().sum(-1) <= radius[balls].square()
    flat = places[..., :2].square().sum(-1) <= radius[cylinders].square()
    found[cylinders] = flat & (places[..., 2].abs() <= solids.half[cylinders, 0, 2, None, None, None])
    return found


def first_hits(grid: Tensor) -> Tensor:
    """Return of grids (N, Z, Y, X) bool the cells that are seen from above (+z) alone."""
    from_above = grid.flip(1)
    seen = from_above & (from_above.long().cumsum(1) == 1)
    return seen.flip(1)


def turned(grid: Tensor, angle: Tensor) -> Tensor:
    """Return grids (N, Z, Y, X) turned about the z axis by angles (N,) in radians, interpolated along two axes."""
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    matrix = torch.stack([torch.stack([cos, -sin, zero], 1), torch.stack([sin, cos, zero], 1)], 1)
    places = F.affine_grid(matrix.to(grid.dtype), [len(grid), grid.shape[1], *grid.shape[2:]], align_corners=False)
    return F.grid_sample(grid, places, align_corners=False)


def project(grid: Tensor) -> Tensor:
    """Return the silhouettes 1 - e^(-Σ v) (N, 1, Z, X) of grids (N, Z, Y, X) in [0, 1], along y (PrGAN, equation 1)."""
    return 1 - (-grid.sum(2)).exp()[:, None]


def ray_maximum(grid: Tensor) -> Tensor:
    """Return the silhouettes (N, 1, Z, X) of grids (N, Z, Y, X): the greatest value of each ray along y."""
    return grid.amax(2)[:, None]


def surface_points(solids: Solids, count: int, random: torch.Generator) -> Tensor:
    """Return points (N, count, 3), evenly on the surfaces of the parts of solids, each cloud centred."""
    n = len(solids.kind)
    half, centre = solids.half, solids.centre
    sides = torch.stack([half[..., 1] * half[..., 2], half[..., 0] * half[..., 2], half[..., 0] * half[..., 1]], -1)
    face = torch.multinomial(sides.flatten(1) + 1e-12, count, replacement=True, generator=random)
    part, axis = face // 3, face % 3
    each = torch.arange(n)[:, None]
    point = 2 * torch.rand(n, count, 3, generator=random) - 1
    side = torch.randint(2, (n, count), generator=random).float() * 2 - 1
    point.scatter_(2, axis[..., None], side[..., None])
    boxes = centre[each, part] + half[each, part] * point
    direction = F.normalize(torch.randn(n, count, 3, generator=random), dim=2)
    balls = half[:, :1, :1] * direction
    radius, height = half[:, 0, 0, None], half[:, 0, 2, None]
    turn = 2 * math.pi * torch.rand(n, count, generator=random)
    on_side = torch.rand(n, count, generator=random) < 2 * height / (2 * height + radius)
    out = torch.where(on_side, 1.0, torch.rand(n, count, generator=random).sqrt()) * radius
    up = torch.where(on_side, 2 * torch.rand(n, count, generator=random) - 1, side) * height
    cylinders = torch.stack([out * turn.cos(), out * turn.sin(), up], 2)
    kind = solids.kind[:, None, None]
    found = torch.where(kind == 1, balls, torch.where(kind == 2, cylinders, boxes))
    return found - found.mean(1, keepdim=True)
