"""Clipped Density and Clipped Coverage (Salvy, Talbot & Thirion 2025, arXiv 2507.01761)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Metric, stop_point
from gan_zoo.metrics.prc import TIE
from gan_zoo.ranges import require_positive

CHUNK = 500
"""Samples at a time, which bounds the matrix of distances."""


class Clipped(Metric):
    """Density and coverage that single outliers cannot move, on a scale on which s is a share s of good samples.

    Balls around real samples x_i reach to their k-th other real sample, r_i. With the samples y_j and n_j the number of
    balls of radius min(r_i, median r) that hold y_j,

        density = min(1, mean_j min(n_j/k, 1) / mean_i min(m_i/k, 1)),

    m_i being the number of other real samples' balls that hold x_i. Of coverage, c = mean_i min(#{j: y_j in ball i}/k,
    1) is turned into the share of good samples among the M for which c is expected: with m good ones, ball i holds a
    beta-binomial number of them (m; k, N - k). Both agree with the authors' program, k = 5.

    Args:
        neighbours: k.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"clipped_density": True, "clipped_coverage": True}
    legend: ClassVar[dict[str, str]] = {
        "clipped_density": "share of samples that are as near to real ones as real ones are, 0 to 1: fidelity",
        "clipped_coverage": "share of samples that would, if real, cover the real ones as well, 0 to 1: diversity",
    }

    def __init__(self, neighbours: int) -> None:
        require_positive(neighbours=neighbours)
        self.neighbours = neighbours

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if there are too few samples to have so many neighbours."""
        if generated < self.neighbours or real <= self.neighbours:
            raise ConfigError(
                f"metrics.clipped.neighbours={self.neighbours} needs {self.neighbours} generated samples and more real "
                f"ones (evaluate.samples, evaluate.reference), and there are {generated} and {real}"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `clipped_density` and `clipped_coverage`."""
        # cdist goes through a matrix product, whose float32 error exceeds the distances between close neighbours.
        generated, real = comparison.generated.features.double(), comparison.real.features.double()
        density, coverage = clipped(generated, real, self.neighbours)
        return {"clipped_density": density, "clipped_coverage": coverage}


def clipped(generated: Tensor, real: Tensor, k: int) -> tuple[float, float]:
    """Return Clipped Density and Clipped Coverage.

    Args:
        generated: features (M, D), float64, M of at least k.
        real: features (N, D), float64, N above k.
        k: the balls reach to the k-th nearest other real sample.
    """
    radii = torch.cat([_to_others(real, start).kthvalue(k, dim=1).values for start in range(0, len(real), CHUNK)])
    # Distances that are the same in truth, as those of copies, differ by what rounding makes of them.
    slack = TIE * float(torch.cat([generated, real]).abs().max())
    narrow = slack + radii.clamp(max=float(np.median(radii.numpy())))
    holding, ideal, covered = torch.zeros(len(generated)), torch.zeros(len(real)), 0.0
    for start in range(0, len(real), CHUNK):
        stop_point()
        of = slice(start, start + CHUNK)
        distances = torch.cdist(real[of], generated)
        holding += (distances <= narrow[of, None]).sum(0)
        ideal += (_to_others(real, start) <= narrow[of, None]).sum(0)
        covered += float(((distances < radii[of, None] - slack).sum(1).clamp(max=k) / k).sum())
    fidelity, of_real = (float((counts / k).clamp(max=1).double().mean()) for counts in (holding, ideal))
    expected = expected_coverage(len(generated), len(real), k)
    return min(1.0, fidelity / of_real), float(np.searchsorted(expected, covered / len(real)) / len(expected))


def _to_others(real: Tensor, start: int) -> Tensor:
    """Return the distances (n, N) of some samples to all others; to themselves they are infinite."""
    part = real[start : start + CHUNK]
    distances = torch.cdist(part, real)
    distances[torch.arange(len(part)), torch.arange(start, start + len(part))] = torch.inf
    return distances


def expected_coverage(generated: int, real: int, k: int) -> np.ndarray:
    """Return the expected clipped coverage (M + 1,) of 0 to M good samples; 0 for fewer than k, as the authors have it.

    Args:
        generated: M.
        real: N.
        k: the balls reach to the k-th nearest other real sample.
    """
    from scipy.stats import betabinom

    good = np.arange(k, generated + 1)
    # A ball holds a share Beta(k, N - k) of the distribution: it reaches to the k-th of N - 1 other samples.
    missing = sum((k - held) * betabinom.pmf(held, good, k, real - k) for held in range(k))
    found = np.zeros(generated + 1)
    found[k:] = 1 - missing / k
    return found
