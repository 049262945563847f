"""Colours as the eye tells them apart: CIE L*a*b*."""

from __future__ import annotations

import torch
from torch import Tensor

TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
"""From linear sRGB to CIE XYZ (ITU-R BT.709 primaries, D65)."""

LINEAR_BELOW = (6 / 29) ** 3


def to_lab(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return L* / 50 - 1 (N, 1, H, W) and a*, b* / 110 (N, 2, H, W) of colour images (N, 3, H, W) in [-1, 1]."""
    rgb = ((x + 1) / 2).clamp(0, 1)
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055).clamp(min=1e-6) ** 2.4, rgb / 12.92)
    matrix = torch.tensor(TO_XYZ, dtype=x.dtype, device=x.device)
    relative = torch.einsum("ij,njhw->nihw", matrix / matrix.sum(1, keepdim=True), linear)
    root = torch.where(
        relative > LINEAR_BELOW, relative.clamp(min=1e-6) ** (1 / 3), relative / (3 * (6 / 29) ** 2) + 4 / 29
    )
    fx, fy, fz = root.split(1, 1)
    return (116 * fy - 16) / 50 - 1, torch.cat([500 * (fx - fy), 200 * (fy - fz)], 1) / 110
