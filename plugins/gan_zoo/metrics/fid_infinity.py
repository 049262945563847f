"""The FID of infinitely many samples (Chong & Forsyth 2020, arXiv 1911.07023)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from gan_framework.api import Comparison, ConfigError, DataShape, Metric, stop_point
from gan_zoo.metrics.frechet import DistanceTo, Target

SEED = 0


class FIDInfinity(Metric):
    """FID without the bias of few samples: where a line through FIDs over 1/N meets 1/N = 0 (section 3).

    FIDs are of random parts of the generated samples whose sizes are evenly spaced; the authors take 15 from 5,000 to
    50,000. The reference's own bias remains. It compares with published FID∞ where they drew latents by independent
    random numbers, not by a Sobol sequence.

    Args:
        points: how many FIDs the line is fitted to.
        least: the share of the samples that the smallest part has.
        statistics: as of `fid`.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"fid_infinity": False}
    legend: ClassVar[dict[str, str]] = {
        "fid_infinity": "fid extrapolated to infinitely many generated samples; about 0, also below, for real data",
    }
    least_real: ClassVar[int] = 2

    def __init__(self, points: int, least: float, statistics: Path | None = None) -> None:
        if points < 3:
            raise ConfigError(f"metrics.fid_infinity.points={points} must be at least 3, for a line to be fitted")
        if not 0 < least < 1:
            raise ConfigError(f"metrics.fid_infinity.least={least} must lie between 0 and 1: it is a share")
        self.points = points
        self.least = least
        self._target = Target(statistics, "metrics.fid_infinity.statistics")

    def settings(self) -> dict[str, Any]:
        """Return the settings, for the protocol."""
        return {**super().settings(), **self._target.settings()}

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the smallest part has fewer than two samples, or the parts are not of several sizes."""
        if int(self.least * generated) < 2 or generated < 2 * self.points:
            raise ConfigError(
                f"metrics.fid_infinity with points={self.points} and least={self.least} needs at least "
                f"{max(2 * self.points, int(np.ceil(2 / self.least)))} generated samples (evaluate.samples), and there "
                f"are {generated}"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `fid_infinity`; warn where the smallest parts have fewer samples than dimensions."""
        features = comparison.generated.features
        count, dim = features.shape
        distance = DistanceTo(self._target(comparison))
        random = torch.Generator().manual_seed(SEED)
        sizes = np.linspace(int(self.least * count), count, self.points).astype(int)
        if sizes[0] <= dim:
            comparison.warnings.append(
                f"fid_infinity: its smallest part has {sizes[0]} samples for {dim} features, where FID is no line over "
                "1/N: draw more samples"
            )
        found = []
        for size in sizes:
            stop_point()
            found.append(distance(features[torch.randperm(count, generator=random)[: int(size)]]))
        _, intercept = np.polyfit(1 / sizes, found, 1)
        return {"fid_infinity": float(intercept)}
