"""LPIPS and DISTS of a network's activations, with and without their authors' learnt weights."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from gan_framework.api import ConfigError

LEARNT = {"vgg16": "vgg.pth", "alexnet": "alex.pth"}
"""The files of LPIPS' weights of channels, version 0.1, that torchmetrics ships, by extractor."""

LEAST = 1e-10
"""Added to the length of a vector of channels before it is divided by it (Zhang et al. 2018, the authors' program)."""

STABLE = 1e-6
"""The constants of DISTS' quotients (Ding et al. 2020, section 3.2)."""


def lpips(a: Sequence[Tensor], b: Sequence[Tensor], weights: Sequence[Tensor] | None = None) -> Tensor:
    """Return Σ_l mean_hw Σ_c w_lc (a_l / |a_l| - b_l / |b_l|)² (N,) of activations (N, C, H, W) at several depths.

    Args:
        a: of the one images.
        b: of the others.
        weights: of the channels (C,) at each depth; 1/C if none are given.
    """
    total = a[0].new_zeros(len(a[0]))
    for depth, (x, y) in enumerate(zip(a, b, strict=True)):
        squares = (_of_length_one(x) - _of_length_one(y)).square()
        of = squares.new_full((x.shape[1],), 1 / x.shape[1]) if weights is None else weights[depth].to(squares)
        total = total + torch.einsum("nchw,c->nhw", squares, of).mean((1, 2))
    return total


def _of_length_one(x: Tensor) -> Tensor:
    return x / (x.square().sum(1, keepdim=True).sqrt() + LEAST)


def dists(a: Sequence[Tensor], b: Sequence[Tensor], weights: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """Return 1 - Σ_c (α_c s_c + β_c t_c) (N,) over the channels of activations (N, C, H, W) at several depths.

    With means m and n, variances v and u and covariance k of both images' channels, s = (2 m n + c) / (m² + n² + c) and
    t = (2 k + c) / (v + u + c), c = 1e-6; α and β sum to 1 together.

    Args:
        a: of the one images.
        b: of the others.
        weights: α and β (K,), in the order of the channels; all alike if none are given.
    """
    texture, structure = [], []
    for x, y in zip(a, b, strict=True):
        m, n = x.mean((2, 3), keepdim=True), y.mean((2, 3), keepdim=True)
        k = ((x - m) * (y - n)).mean((2, 3))
        v, u = (x - m).square().mean((2, 3)), (y - n).square().mean((2, 3))
        m, n = m[..., 0, 0], n[..., 0, 0]
        texture.append((2 * m * n + STABLE) / (m.square() + n.square() + STABLE))
        structure.append((2 * k + STABLE) / (v + u + STABLE))
    s, t = torch.cat(texture, 1), torch.cat(structure, 1)
    if weights is None:
        return 1 - (s.mean(1) + t.mean(1)) / 2
    alpha, beta = (weight.to(s) for weight in weights)
    return 1 - (s @ alpha + t @ beta) / (alpha.sum() + beta.sum())


@lru_cache(maxsize=2)
def learnt(extractor: str) -> tuple[Tensor, ...]:
    """Return LPIPS' learnt weights (C,) of the channels at each depth, of an extractor."""
    from torchmetrics.functional.image import lpips as theirs

    found = _read(Path(inspect.getfile(theirs)).with_name("lpips_models") / LEARNT[extractor])
    return tuple(found[f"lin{depth}.model.1.weight"].flatten() for depth in range(len(found)))


@lru_cache(maxsize=1)
def of_dists() -> tuple[Tensor, Tensor]:
    """Return DISTS' learnt weights α and β (1475,)."""
    from torchmetrics.functional.image import dists as theirs

    found = _read(Path(inspect.getfile(theirs)).with_name("dists_models") / "weights.pt")
    return found["alpha"].flatten(), found["beta"].flatten()


def _read(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file that torchmetrics ships.

    Raises:
        ConfigError: this version ships none.
    """
    try:
        found: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ConfigError(f"the learnt weights come with torchmetrics, and {path} is missing: update it") from error
    return found
