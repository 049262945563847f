"""Modes covered and samples of high quality, where the modes are known."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Metric
from gan_zoo.datasets.mixture import centres

DEVIATIONS = 3.0
"""A sample is of high quality if it lies at most so many deviations from its centre."""


def mode_coverage(points: Tensor, centres: Tensor, std: float) -> tuple[int, float]:
    """Return how many centres (K, 2) have a point (N, 2) within 3 std, and the share of points that lie so."""
    distances, nearest = torch.cdist(points.double(), centres.double()).min(dim=1)
    good = distances <= DEVIATIONS * std
    return len(nearest[good].unique()), float(good.float().mean())


class ModeCoverage(Metric):
    """Counts over a mixture of Gaussians (Srivastava et al. 2017, arXiv 1705.07761, section 4.1).

    Args:
        arrangement: of the mixture.
        std: of the mixture.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"modes_covered": True, "high_quality": True}
    legend: ClassVar[dict[str, str]] = {
        "modes_covered": "modes of the mixture with a sample within 3 standard deviations of their centre",
        "high_quality": "share of samples within 3 standard deviations of a centre, 0 to 1",
    }
    samples_kept: ClassVar[int] = 10_000

    def __init__(self, arrangement: str, std: float) -> None:
        self._centres = centres(arrangement)
        self.arrangement = arrangement
        self.std = std

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the samples are not points in the plane."""
        if shape.sample != (2,):
            raise ConfigError(
                f"metrics.mode_coverage counts points in the plane, and the samples have the shape {shape.sample}; "
                "it goes with data=mixture"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `modes_covered` and `high_quality`."""
        points = comparison.generated.read(comparison.generated.some(self.samples_kept))
        covered, share = mode_coverage(points, self._centres, self.std)
        return {"modes_covered": float(covered), "high_quality": share}
