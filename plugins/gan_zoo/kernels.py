"""Kernels, and the maximum mean discrepancy of two batches under them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Kernel = Callable[[Tensor, Tensor], Tensor]
"""Maps batches (N, K) and (M, K) to their products (N, M)."""

WIDTHS = (1.0, 2.0, 4.0, 8.0, 16.0)
EXPONENTS = (0.2, 0.5, 1.0, 2.0, 5.0)


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Return ‖a_i - b_j‖² (N, M), whose gradient is finite where they meet; never in half precision."""
    a, b = _single(a), _single(b)
    return (a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T).clamp(min=0)


def rbf(a: Tensor, b: Tensor, widths: tuple[float, ...] = WIDTHS) -> Tensor:
    """Return the sum over widths σ of exp(-‖a - b‖² / 2σ²) (N, M)."""
    squares = squared_distances(a, b)
    return torch.stack([(-squares / (2 * width**2)).exp() for width in widths]).sum(0)


def rational_quadratic(a: Tensor, b: Tensor) -> Tensor:
    """Return the sum over exponents α of (1 + ‖a - b‖² / 2α)^-α (N, M)."""
    squares = squared_distances(a, b)
    return torch.stack([(1 + squares / (2 * exponent)) ** -exponent for exponent in EXPONENTS]).sum(0)


def linear(a: Tensor, b: Tensor) -> Tensor:
    """Return a·b (N, M)."""
    return _single(a) @ _single(b).T


def energy(a: Tensor, b: Tensor) -> Tensor:
    """Return -‖a - b‖ (N, M), under which the squared discrepancy is the energy distance (Sejdinovic et al. 2013)."""
    distances: Tensor = torch.cdist(_single(a), _single(b), compute_mode="donot_use_mm_for_euclid_dist")
    return -distances


KERNELS: dict[str, Kernel] = {
    "rbf": rbf,
    "rational_quadratic": rational_quadratic,
    "energy": energy,
    "linear": linear,
}


def squared_mmd(kernel: Kernel, x: Tensor, y: Tensor, unbiased: bool) -> Tensor:
    """Return the squared maximum mean discrepancy of two batches (N, K) and (M, K) (Gretton et al. 2012, lemma 6).

    Args:
        kernel: the kernel.
        x: a batch.
        y: another.
        unbiased: leave the products of a sample with itself out; it can then be negative.
    """
    within = sum(_mean_within(kernel(batch, batch), unbiased) for batch in (x, y))
    return within - 2 * kernel(x, y).mean()


def _mean_within(products: Tensor, unbiased: bool) -> Tensor:
    n = len(products)
    return (products.sum() - products.diagonal().sum()) / (n * (n - 1)) if unbiased else products.mean()


def _single(x: Tensor) -> Tensor:
    """Return samples in single precision at least, in which differences of large numbers are something."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
