"""Statistics of time series beside those of the data."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, FeatureSet, Metric

MOST = 5_000
"""The most samples of either side that are looked at."""


def series_of(samples: FeatureSet, most: int = MOST) -> Tensor:
    """Return the first samples (N, F, T), float64."""
    return samples.read(torch.arange(min(len(samples.features), most))).double()


def require_series(metric: str, shape: DataShape) -> None:
    """Raise ConfigError if samples are no series."""
    if len(shape.sample) != 2 or shape.vocabulary:
        raise ConfigError(
            f"metrics.{metric} reads series (F, T), and the samples are {shape.sample}: as of data=series"
        )


def autocorrelation(series: Tensor, lags: int) -> Tensor:
    """Return the autocorrelation (F, lags) of series (N, F, T) at lags 1, 2, …: over all samples, with one mean."""
    centred = series - series.mean((0, 2), keepdim=True)
    variance = centred.square().mean((0, 2)).clamp(min=1e-12)
    products = [(centred[..., :-lag] * centred[..., lag:]).mean((0, 2)) for lag in range(1, lags + 1)]
    return torch.stack(products, 1) / variance[:, None]


def marginal_distance(first: Tensor, second: Tensor) -> Tensor:
    """Return, of each channel (F,), the earth mover's distance of the values of two sets of series (N, F, T)."""
    places = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000

    def quantiles(series: Tensor) -> Tensor:
        values = series.movedim(1, 0).flatten(1).sort(1).values
        return values[:, (places * values.shape[1]).long()]

    return (quantiles(first) - quantiles(second)).abs().mean(1)


class SeriesStatistics(Metric):
    """Autocorrelation, moments and marginals.

    Args:
        lags: the greatest lag.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {
        "autocorrelation_error": False,
        "moment_error": False,
        "marginal_error": False,
    }
    legend: ClassVar[dict[str, str]] = {
        "autocorrelation_error": "mean absolute difference of autocorrelations from the data's over lags and channels",
        "moment_error": "mean absolute difference of each step's means and deviations from the data's",
        "marginal_error": "earth mover's distance of all values from the data's, mean over channels",
    }
    samples_kept: ClassVar[int] = MOST

    def __init__(self, lags: int) -> None:
        if lags < 1:
            raise ValueError(f"lags={lags} must be at least 1")
        self.lags = lags

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the samples are no series, or too short."""
        require_series("series_statistics", shape)
        if shape.sample[1] <= self.lags:
            raise ConfigError(f"metrics.series_statistics.lags={self.lags}: the series have {shape.sample[1]} steps")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return the three errors."""
        made, real = series_of(comparison.generated), series_of(comparison.real)
        difference = autocorrelation(made, self.lags) - autocorrelation(real, self.lags)
        moments = (made.mean(0) - real.mean(0)).abs() + (made.std(0) - real.std(0)).abs()
        return {
            "autocorrelation_error": float(difference.abs().mean()),
            "moment_error": float(moments.mean() / 2),
            "marginal_error": float(marginal_distance(made, real).mean()),
        }
