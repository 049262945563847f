"""How far a FID depends on which samples were drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch

from gan_framework.api import Comparison, ConfigError, DataShape, Metric, stop_point
from gan_zoo.metrics.frechet import DistanceTo, Target

LEVEL = 0.95

SEED = 0


class FIDInterval(Metric):
    """A 95% interval of the FID over other samples of the same model, by the jackknife over groups.

    The FID is computed with each of g equal random groups of generated samples left out; its standard error is
    ((g-1)/g · Σ (θ_i - θ̄)²)^½ (Shao & Tu 1995, The Jackknife and Bootstrap, section 2.3), and the interval takes
    Student's t with g - 1 degrees of freedom. A bootstrap will not do: samples drawn twice lower the rank, and all
    FIDs of resampled sets lie above the FID. It is no interval over training seeds, holds the reference fixed, and is
    around a FID of so many samples, whose bias `fid_infinity` estimates.

    Args:
        groups: g, into which the samples are divided.
        statistics: as of `fid`.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {}
    legend: ClassVar[dict[str, str]] = {
        "fid_se": "standard error of fid over the samples drawn, of one model",
        "fid_low": "lower end of a 95% interval of fid over the samples drawn, of one model",
        "fid_high": "upper end of it",
    }
    least_real: ClassVar[int] = 2

    def __init__(self, groups: int, statistics: Path | None = None) -> None:
        if groups < 5:
            raise ConfigError(f"metrics.fid_interval.groups={groups} must be at least 5: fewer tell no spread")
        self.groups = groups
        self._target = Target(statistics, "metrics.fid_interval.statistics")

    def settings(self) -> dict[str, Any]:
        """Return the settings, for the protocol."""
        return {**super().settings(), **self._target.settings()}

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if there are fewer than two samples for each group."""
        if generated < 2 * self.groups:
            raise ConfigError(
                f"metrics.fid_interval.groups={self.groups} needs at least {2 * self.groups} generated samples "
                f"(evaluate.samples), and there are {generated}"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `fid_se`, `fid_low` and `fid_high`."""
        from scipy.stats import t

        features = comparison.generated.features
        # At random: samples may come in an order, by their classes or by what they are made of, and groups must not.
        features = features[torch.randperm(len(features), generator=torch.Generator().manual_seed(SEED))]
        distance = DistanceTo(self._target(comparison))
        whole = distance(features)
        parts = features.tensor_split(self.groups)
        without = []
        for left_out in range(self.groups):
            stop_point()
            without.append(distance(torch.cat([part for i, part in enumerate(parts) if i != left_out])))
        spread = torch.tensor(without, dtype=torch.float64)
        error = float(((self.groups - 1) / self.groups * (spread - spread.mean()).square().sum()).sqrt())
        reach = float(t.ppf((1 + LEVEL) / 2, self.groups - 1)) * error
        return {"fid_se": error, "fid_low": whole - reach, "fid_high": whole + reach}
