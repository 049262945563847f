"""The Fréchet distance of features (Heusel et al. 2017, arXiv 1706.08500, equation 6)."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, Metric

CHUNK = 1024
"""Samples at a time, which bounds the float64 copies."""

Statistics = dict[str, Any]
"""Mean `mu` (D,) and unbiased covariance `sigma` (D, D) as float64 arrays, as torch-fidelity takes them."""


def statistics(features: Tensor) -> Statistics:
    """Return mean and covariance of features (N, D), without ever holding a float64 copy of them all."""
    count, dim = features.shape
    mean = torch.stack([chunk.double().sum(0) for chunk in features.split(CHUNK)]).sum(0) / count
    covariance = torch.zeros(dim, dim, dtype=torch.float64)
    for chunk in features.split(CHUNK):
        centred = chunk.double() - mean
        covariance.addmm_(centred.T, centred, alpha=1 / (count - 1))
    return {"mu": mean.numpy(), "sigma": covariance.numpy()}


def frechet_distance(a: Statistics, b: Statistics) -> float:
    """Return |m_a - m_b|² + tr(C_a + C_b - 2 (C_a C_b)^½), computed by torch-fidelity."""
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

    return float(fid_statistics_to_metric(a, b, verbose=False)[KEY_METRIC_FID])


class FID(Metric):
    """Fréchet distance between Gaussians fitted to the features of real and of generated samples."""

    higher_is_better: ClassVar[dict[str, bool]] = {"fid": False}
    legend: ClassVar[dict[str, str]] = {
        "fid": "|m-m'|² + tr(C+C'-2(CC')^½) of the features, 0 or more: 0 is equal means and covariances",
    }
    least_real: ClassVar[int] = 2

    def __init__(self) -> None:
        self._real: tuple[Tensor, Statistics] | None = None

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `fid`; warn of too few samples."""
        for name, side in (("generated", comparison.generated), ("real", comparison.real)):
            count, dim = side.features.shape
            if count <= dim:
                comparison.warnings.append(
                    f"fid: N={count} <= d={dim} for the {name} samples: their covariance is singular and FID is biased "
                    "upwards; compare it at equal N only, or use kid"
                )
        real = comparison.real.features
        if self._real is None or self._real[0] is not real:
            self._real = real, statistics(real)  # a run is compared with the same features again and again
        return {"fid": frechet_distance(statistics(comparison.generated.features), self._real[1])}
