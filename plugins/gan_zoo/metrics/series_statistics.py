"""Statistics of time series beside those of the data."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, FeatureSet, Metric
from gan_zoo.lengths import are_padded, inside, lengths_of_series
from gan_zoo.ranges import require_positive

MOST = 5_000
"""The most samples of either side that are looked at."""


def series_of(samples: FeatureSet, most: int = MOST) -> Tensor:
    """Return samples (N, F, T), evenly spaced, float64."""
    return samples.read(samples.some(most)).double()


def require_series(metric: str, shape: DataShape) -> None:
    """Raise ConfigError if samples are no series."""
    if len(shape.sample) != 2 or shape.vocabulary:
        raise ConfigError(
            f"metrics.{metric} reads series (F, T), and the samples are {shape.sample}: as of data=series"
        )


def own_steps(series: Tensor, padded: bool) -> Tensor:
    """Return which steps (N, T) of series (N, F, T) are their own; all, where they are not padded."""
    lengths = lengths_of_series(series) if padded else torch.full((len(series),), series.shape[2])
    return inside(lengths, series.shape[2])


def autocorrelation(series: Tensor, lags: int, mask: Tensor | None = None) -> Tensor:
    """Return the autocorrelation (F, lags) of series (N, F, T) at lags 1, 2, …: over all samples, with one mean.

    Args:
        series: the series.
        lags: the greatest lag.
        mask: which steps (N, T) count; all, if there is none.
    """
    own = own_steps(series, False) if mask is None else mask
    mean = _over(series, own, (0, 2))
    centred = series - mean[:, None]
    variance = _over(centred.square(), own, (0, 2)).clamp(min=1e-12)
    products = [
        _over(centred[..., :-lag] * centred[..., lag:], own[:, :-lag] & own[:, lag:], (0, 2))
        for lag in range(1, lags + 1)
    ]
    return torch.stack(products, 1) / variance[:, None]


def _over(values: Tensor, mask: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Return means of values (N, F, T) over samples, or samples and steps, of the steps (N, T) that count."""
    counts = mask[:, None].expand_as(values)
    return torch.where(counts, values, 0).sum(dims) / counts.sum(dims).clamp(min=1)


def moments_of_steps(series: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return means and deviations (F, T) of the steps of series (N, F, T), over those samples that have the step."""
    mean = _over(series, mask, (0,))
    n = mask.sum(0)
    return mean, (_over((series - mean).square(), mask, (0,)) * n / (n - 1).clamp(min=1)).sqrt()


def marginal_distance(first: Tensor, second: Tensor, masks: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """Return, of each channel (F,), the earth mover's distance of the values of two sets of series (N, F, T).

    Args:
        first: a set.
        second: the other one.
        masks: which steps (N, T) of either count; all, if there are none.
    """
    places = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000

    def quantiles(series: Tensor, mask: Tensor) -> Tensor:
        values = series.movedim(1, 0)[:, mask].sort(1).values
        return values[:, (places * values.shape[1]).long()]

    own = masks or (own_steps(first, False), own_steps(second, False))
    return (quantiles(first, own[0]) - quantiles(second, own[1])).abs().mean(1)


class SeriesStatistics(Metric):
    """Autocorrelation, moments and marginals, of the steps before each series' end where they are of different lengths.

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
        require_positive(lags=lags)
        self.lags = lags

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the samples are no series, or too short."""
        require_series("series_statistics", shape)
        if shape.sample[1] <= self.lags:
            raise ConfigError(f"metrics.series_statistics.lags={self.lags}: the series have {shape.sample[1]} steps")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return the three errors."""
        made, real = series_of(comparison.generated), series_of(comparison.real)
        own, own_of_real = (own_steps(series, are_padded(comparison.shape)) for series in (made, real))
        difference = autocorrelation(made, self.lags, own) - autocorrelation(real, self.lags, own_of_real)
        (mean, spread), (mean_real, spread_real) = moments_of_steps(made, own), moments_of_steps(real, own_of_real)
        moments = (mean - mean_real).abs() + (spread - spread_real).abs()
        return {
            "autocorrelation_error": float(difference.abs().mean()),
            "moment_error": float(moments.mean() / 2),
            "marginal_error": float(marginal_distance(made, real, (own, own_of_real)).mean()),
        }
