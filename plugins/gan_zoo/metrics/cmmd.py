"""CMMD, the kernel distance of CLIP's embeddings (Jayasumana et al. 2024, arXiv 2401.09603)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Comparison, Metric, stop_point

SIGMA = 10.0
"""The width of the kernel (section 5)."""

SCALE = 1000.0
"""What the authors multiply the distance by, for people to read it."""

CHUNK = 1000
"""Samples at a time, which bounds the matrices of kernels."""


class CMMD(Metric):
    """1000 times the squared MMD of embeddings of norm 1 under the kernel exp(-|x - y|² / 200), biased (section 5).

    No Gaussian is assumed, and few samples do. It compares with published numbers with
    `extractor=clip extractor.model=vit-l-14-336px extractor.resize=bicubic` and the reference of a paper alone; by
    other extractors it is a distance of their own.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"cmmd": False}
    legend: ClassVar[dict[str, str]] = {
        "cmmd": "1000 times the squared MMD of normalised features under a Gaussian kernel of width 10, 0 or more",
    }

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `cmmd`."""
        return {"cmmd": cmmd(comparison.generated.features, comparison.real.features)}


def cmmd(x: Tensor, y: Tensor) -> float:
    """Return the distance of features x (N, D) and y (M, D), computed in float64 without a matrix of N by M."""
    x, y = (F.normalize(side.double(), dim=1) for side in (x, y))
    return SCALE * (_mean_kernel(x, x) + _mean_kernel(y, y) - 2 * _mean_kernel(x, y))


def _mean_kernel(x: Tensor, y: Tensor) -> float:
    total = 0.0
    for part in x.split(CHUNK):
        stop_point()
        for other in y.split(CHUNK):
            # Of vectors of norm 1, |x - y|² = 2 - 2 xy.
            total += float(torch.exp(-(2 - 2 * part @ other.T) / (2 * SIGMA**2)).sum())
    return total / (len(x) * len(y))
