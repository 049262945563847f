"""Mixtures of two unit Gaussians on a line, and sets of at most two intervals that tell them apart."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_zoo.theory import normal_log_density

REACH = 10.0
"""Deviations beyond the means that are searched for sign changes."""

POINTS = 4001
SECTIONS = 32
REFINEMENTS = 9


def mass(means: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return the mass of the union of two intervals under mixtures of unit Gaussians in equal shares.

    An interval that ends before it begins is empty, and where both overlap counts once.

    Args:
        means: of the Gaussians of each mixture (N, 2).
        left: where the intervals begin (2,).
        right: where they end (2,).

    Returns:
        The masses (N,), differentiable with respect to all three.
    """
    both = (left.amax(), right.amin())
    ends = [*zip(left, right, strict=True), both]
    first, second, shared = (_mass(means, begin, end) for begin, end in ends)
    return first + second - shared


def _mass(means: Tensor, left: Tensor, right: Tensor) -> Tensor:
    within: Tensor = torch.special.ndtr(right - means) - torch.special.ndtr(left - means)
    return within.mean(1) * (right > left)


def log_density(x: Tensor, means: Tensor) -> Tensor:
    """Return the logarithm of a mixture's density at points x (M,); means (2,)."""
    summed: Tensor = torch.logsumexp(normal_log_density(x[:, None], means, 1.0), dim=1)
    return summed - math.log(2)


def best_intervals(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Return where the real density is above the generated one: at most two intervals, as (left, right), each (2,).

    The difference of two such mixtures has at most three sign changes; those between different points of a fine grid
    are closed in on. Half lines end at infinity, and a missing interval is [0, 0].

    Args:
        real: the means (2,) of the real mixture.
        fake: those of the generated one.
    """
    real, fake = real.detach().double().cpu(), fake.detach().double().cpu()

    def above(x: Tensor) -> Tensor:
        return log_density(x, real) > log_density(x, fake)

    means = torch.cat([real, fake])
    grid = torch.linspace(float(means.min()) - REACH, float(means.max()) + REACH, POINTS, dtype=torch.float64)
    higher = above(grid)
    changes = (higher[1:] != higher[:-1]).nonzero().flatten()
    low, high = grid[changes], grid[changes + 1]
    shares = torch.linspace(0, 1, SECTIONS + 1, dtype=torch.float64)
    for _ in range(REFINEMENTS):
        points = low[:, None] + (high - low)[:, None] * shares
        same = above(points.flatten()).view_as(points) == higher[changes][:, None]
        last = (same.long().cumprod(1).sum(1, keepdim=True) - 1).clamp(0, SECTIONS - 1)
        low, high = points.gather(1, last).squeeze(1), points.gather(1, last + 1).squeeze(1)
    bounds = [*([-math.inf] if higher[0] else []), *low.tolist(), *([math.inf] if higher[-1] else [])]
    bounds = (bounds + [0.0] * 4)[:4]
    return torch.tensor(bounds[::2], dtype=torch.float64), torch.tensor(bounds[1::2], dtype=torch.float64)
