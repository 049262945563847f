"""Images of wanted gradients: the screened Poisson equation with free borders, solved by cosine transforms."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def cosines(n: int, like: Tensor) -> Tensor:
    """Return the orthonormal DCT-II (n, n): its rows are the modes of a line with free ends."""
    places = torch.arange(n, device=like.device, dtype=like.dtype)
    matrix = torch.cos(math.pi / n * (places[:, None]) * (places + 0.5)) * math.sqrt(2 / n)
    matrix[0] /= math.sqrt(2)
    return matrix


def differences(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the differences of neighbours of images (..., H, W), down (..., H - 1, W) and across (..., H, W - 1)."""
    return x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]


def solve(down: Tensor, across: Tensor, near: Tensor, weight: float) -> Tensor:
    """Return the y (..., H, W) that minimises Σ |∇y - v|² + weight Σ |y - near|².

    Args:
        down: wanted differences of neighbours, (..., H - 1, W).
        across: (..., H, W - 1).
        near: what y is to be near to, (..., H, W).
        weight: above 0.
    """
    height, width = near.shape[-2:]
    right = weight * near
    # The transpose of the differences: each is subtracted from its first pixel and added to its second.
    right = right - F.pad(down, (0, 0, 0, 1)) + F.pad(down, (0, 0, 1, 0))
    right = right - F.pad(across, (0, 1)) + F.pad(across, (1, 0))
    rows, columns = cosines(height, near), cosines(width, near)
    eigen = (
        2 - 2 * torch.cos(math.pi / n * torch.arange(n, device=near.device, dtype=near.dtype)) for n in (height, width)
    )
    scale = next(eigen)[:, None] + next(eigen) + weight
    return rows.T @ (rows @ right @ columns.T / scale) @ columns


def blended(near: Tensor, composite: Tensor, mask: Tensor, weight: float, levels: int) -> Tensor:
    """Return images with a composite's gradients and the colours of others, from coarse to fine (GP-GAN, section 3.3).

    Across the border of the mask, where the composite's gradients are those of the seam, the others' are wanted.

    Args:
        near: whose colours are wanted (N, C, H, W).
        composite: whose gradients are wanted.
        mask: 1 inside what was pasted (N, 1, H, W).
        weight: of the colours.
        levels: sizes, each half of the next, of which the last is the whole.
    """
    y = near
    for level in reversed(range(levels)):
        side = 2**level
        colours, pasted, inside = (F.avg_pool2d(x, side) if side > 1 else x for x in (near, composite, mask))
        if level < levels - 1:
            # The solution at half the size says what is coarse, the image itself what is finer.
            coarse = F.interpolate(y - F.avg_pool2d(colours, 2), scale_factor=2, mode="bilinear", align_corners=False)
            colours = colours + coarse
        seams = [one.abs() > 0.25 for one in differences(inside)]
        wanted = [
            torch.where(seam, of_colours, of_pasted)
            for seam, of_colours, of_pasted in zip(seams, differences(colours), differences(pasted), strict=True)
        ]
        y = solve(wanted[0], wanted[1], colours, weight)
    return y
