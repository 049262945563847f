"""Precision, recall, density and coverage: fidelity and diversity apart."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Metric
from gan_zoo.ranges import require_positive

TIE = 1e-7
"""Distances that differ by less, for features up to 1, are the same: what rounding leaves of float64's sixteen digits
after a root."""

CHUNK = 500
"""Samples at a time, which bounds the matrix of distances."""


class PRC(Metric):
    """Whether samples lie in balls around samples that reach to their k-th nearest neighbours.

    Precision and recall are those of Kynkäänniemi et al. 2019 (arXiv 1904.06991, equation 2),
    computed by torch-fidelity; density and coverage those of Naeem et al. 2020 (arXiv 2002.09797,
    sections 3.1 and 3.2).
    """

    higher_is_better: ClassVar[dict[str, bool]] = {
        "precision": True,
        "recall": True,
        "density": True,
        "coverage": True,
    }
    legend: ClassVar[dict[str, str]] = {
        "precision": "share of samples within the real manifold, 0 to 1: fidelity",
        "recall": "share of real samples within the generated manifold, 0 to 1: diversity",
        "density": "mean number of real neighbourhoods that hold a sample, over k: fidelity; about 1 for real data",
        "coverage": "share of real neighbourhoods that hold a sample, 0 to 1: diversity",
    }

    def __init__(self, neighbours: int, density_neighbours: int) -> None:
        """Choose k for precision and recall, and for density and coverage.

        Raises:
            ValueError: there are no neighbours.
        """
        require_positive(neighbours=neighbours, density_neighbours=density_neighbours)
        self.neighbours = neighbours
        self.density_neighbours = density_neighbours

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if there are too few samples to have so many neighbours."""
        most = max(self.neighbours, self.density_neighbours)
        if min(generated, real) <= most:
            raise ConfigError(
                f"metrics.prc with {most} neighbours needs more than {most} samples of each kind "
                f"(evaluate.samples, evaluate.reference), and there are {generated} generated and {real} real ones"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `precision`, `recall`, `density` and `coverage`."""
        from torch_fidelity.metric_prc import prc_features_to_metric

        # cdist goes through a matrix product, whose float32 error exceeds the distances between close neighbours.
        generated, real = comparison.generated.features.double(), comparison.real.features.double()
        found = prc_features_to_metric(
            generated,
            real,
            prc_neighborhood=self.neighbours,
            prc_batch_size=CHUNK,
            save_cpu_ram=True,  # computes the distances in parts
            verbose=False,
        )
        density, coverage = density_and_coverage(generated, real, self.density_neighbours)
        return {
            "precision": found["precision"],
            "recall": found["recall"],
            "density": density,
            "coverage": coverage,
        }


def density_and_coverage(generated: Tensor, real: Tensor, k: int) -> tuple[float, float]:
    """Return how many real samples' balls hold a generated sample, over k, and the share of balls that hold any.

    Args:
        generated: features (N, D).
        real: features (M, D).
        k: the balls reach to the k-th nearest other real sample.
    """
    held, covered = 0, 0
    slack = TIE * float(torch.cat([generated, real]).abs().max())
    for centres in real.split(CHUNK):
        # A sample is its own nearest neighbour, hence k + 1.
        radii = torch.cdist(centres, real).kthvalue(k + 1, dim=1).values
        # Distances that are the same in truth, as those of copies, differ by what rounding makes of them.
        inside = torch.cdist(centres, generated) < radii[:, None] - slack
        held += int(inside.sum())
        covered += int(inside.any(1).sum())
    return held / (k * len(generated)), covered / len(real)
