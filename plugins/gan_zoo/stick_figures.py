"""Figures of eight joints that move, and what is drawn of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

JOINTS = 8
"""Head, hip, two elbows, two hands, two feet."""

BONES = ((0, 1), (0, 2), (0, 3), (2, 4), (3, 5), (1, 6), (1, 7))


def poses(n: int, frames: int, random: torch.Generator) -> Tensor:
    """Return joints (N, T, 8, 2) as (row, column) in [-1, 1]: arms and legs swing, each figure at a pace of its own."""
    phase = 2 * math.pi * torch.rand(n, 1, generator=random)
    pace = 0.3 + 0.5 * torch.rand(n, 1, generator=random)
    reach = 0.4 + 0.5 * torch.rand(n, 1, generator=random)
    place = 0.4 * (2 * torch.rand(n, 1, generator=random) - 1)
    swing = reach * torch.sin(phase + pace * torch.arange(frames))
    zero = torch.zeros_like(swing)
    head, hip = torch.stack([zero - 0.6, zero], 2), torch.stack([zero + 0.1, zero], 2)

    def limb(root: Tensor, angle: Tensor, length: float) -> Tensor:
        return root + length * torch.stack([angle.cos(), angle.sin()], 2)

    left, right = limb(head, 0.6 + swing, 0.35), limb(head, -0.6 + swing, 0.35)
    hands = limb(left, 0.9 + 1.2 * swing, 0.3), limb(right, -0.9 + 1.2 * swing, 0.3)
    feet = limb(hip, 0.5 * swing + 0.3, 0.7), limb(hip, -0.5 * swing - 0.3, 0.7)
    joints = torch.stack([head, hip, left, right, *hands, *feet], 2)
    return joints + torch.stack([torch.zeros_like(place), place], 2)[:, :, None]


def drawn(joints: Tensor, side: int) -> Tensor:
    """Return images (N, T, H, W) in [0, 1] of capsules between joints (N, T, 8, 2), and a head."""
    at = (torch.arange(side) + 0.5) / side * 2 - 1
    pixels = torch.stack(torch.meshgrid(at, at, indexing="ij"), -1).reshape(1, 1, -1, 2)
    nearest = (pixels - joints[:, :, 0, None]).square().sum(3).sqrt() - 0.1
    for a, b in BONES:
        start, end = joints[:, :, a, None], joints[:, :, b, None]
        along = end - start
        share = ((pixels - start) * along).sum(3) / along.square().sum(3).clamp(min=1e-6)
        away = pixels - start - share.clamp(0, 1)[..., None] * along
        nearest = torch.minimum(nearest, away.square().sum(3).sqrt())
    shades: Tensor = (1.5 - nearest * side / 3).clamp(0, 1).unflatten(2, (side, side))
    return shades


def joint_maps(joints: Tensor, side: int) -> Tensor:
    """Return maps (N, T, 8, H, W) in [-1, 1], a Gaussian of two pixels at each joint (N, T, 8, 2)."""
    at = ((torch.arange(side, device=joints.device) + 0.5) / side * 2 - 1).to(joints.dtype)
    row = (at - joints[..., 0, None]).square()[..., :, None]
    column = (at - joints[..., 1, None]).square()[..., None, :]
    return 2 * torch.exp(-(row + column) * (side / 4) ** 2 / 2) - 1
