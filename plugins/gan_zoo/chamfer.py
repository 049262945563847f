"""Distances of clouds of points."""

from __future__ import annotations

import torch
from torch import Tensor


def chamfer(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean squared distance of points to the nearest ones of the other cloud, both ways, summed, (N,).

    Args:
        a: clouds (N, P, 3).
        b: clouds (N, Q, 3).
    """
    # Not cdist, whose gradient at equal points is not a number.
    squares = a.square().sum(2)[:, :, None] + b.square().sum(2)[:, None] - 2 * a @ b.transpose(1, 2)
    squares = squares.clamp(min=0)
    return squares.amin(2).mean(1) + squares.amin(1).mean(1)


def between_sets(a: Tensor, b: Tensor) -> Tensor:
    """Return the chamfer distances (N, M) of every cloud of one set (N, P, 3) and every one of another (M, Q, 3)."""
    return torch.stack([chamfer(one.expand(len(b), -1, -1), b) for one in a])


def coverage_and_mmd(generated: Tensor, real: Tensor) -> tuple[float, float]:
    """Return the share of real clouds that are some generated one's nearest, and the mean distance of real to nearest.

    Achlioptas et al. 2018, arXiv 1707.02392, section 2.
    """
    distances = between_sets(generated, real)
    return len(distances.argmin(1).unique()) / len(real), float(distances.amin(0).mean())
