"""The Fréchet distance of features (Heusel et al. 2017, arXiv 1706.08500, equation 6)."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from gan_framework.evaluation.metric import Comparison, Metric

CHUNK = 1024
"""Samples at a time, which bounds the float64 copies."""


class Gaussian(NamedTuple):
    """A Gaussian fitted to features, in float64.

    Attributes:
        mean: (D,).
        covariance: (D, D), unbiased.
        root: (R, D), with root.T @ root the covariance.
    """

    mean: Tensor
    covariance: Tensor
    root: Tensor


def fit(features: Tensor) -> Gaussian:
    """Fit a Gaussian to features (N, D)."""
    count, dim = features.shape
    mean = torch.stack([chunk.double().sum(0) for chunk in features.split(CHUNK)]).sum(0) / count
    if count <= dim:
        root = (features.double() - mean) / (count - 1) ** 0.5
        return Gaussian(mean, root.T @ root, root)
    covariance = torch.zeros(dim, dim, dtype=torch.float64)
    for chunk in features.split(CHUNK):
        centred = chunk.double() - mean
        covariance.addmm_(centred.T, centred, alpha=1 / (count - 1))
    values, vectors = torch.linalg.eigh(covariance)
    return Gaussian(mean, covariance, values.clamp(min=0).sqrt()[:, None] * vectors.T)


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """Return |m_a - m_b|² + tr(C_a + C_b - 2 (C_a C_b)^½).

    The eigenvalues of C_a C_b are those of the symmetric R C_b R' with C_a = R' R: these are found
    faster and more exactly, and are few where samples are.
    """
    if len(b.root) < len(a.root):
        a, b = b, a
    eigenvalues = torch.linalg.eigvalsh(a.root @ b.covariance @ a.root.T)
    trace_of_root = eigenvalues.clamp(min=0).sqrt().sum()
    distance = (a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace() - 2 * trace_of_root
    return float(distance)


class FID(Metric):
    """Fréchet distance between Gaussians fitted to the features of real and of generated samples."""

    higher_is_better: ClassVar[dict[str, bool]] = {"fid": False}

    def __init__(self) -> None:
        self._real: tuple[Tensor, Gaussian] | None = None

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `fid`; warn of too few samples."""
        for name, side in (("generated", comparison.generated), ("real", comparison.real)):
            count, dim = side.features.shape
            if count <= dim:
                comparison.warnings.append(
                    f"fid: {count} {name} samples are not more than the {dim} feature dimensions, so the covariance "
                    "is singular and the score is biased upwards; compare it only at equal sample counts"
                )
        real = comparison.real.features
        if self._real is None or self._real[0] is not real:
            self._real = real, fit(real)  # a run is compared with the same features again and again
        return {"fid": frechet_distance(fit(comparison.generated.features), self._real[1])}
