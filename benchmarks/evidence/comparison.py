"""What runs over several seeds say of a difference, and in which words."""

from __future__ import annotations

from statistics import fmean, stdev
from typing import NamedTuple

from scipy.stats import t

from evidence.record import Record

CONFIDENCE = 0.95

Interval = tuple[float, float]


class Comparison(NamedTuple):
    """A run beside another one, a score of both over seeds.

    Attributes:
        values: the run's scores.
        others: the other's.
        failed: the number of the run's seeds without a score.
        difference: run minus other, the mean over seeds that both have a score for; None for none.
        interval: the 95 % confidence interval of the difference; None for fewer than two seeds.
    """

    values: list[float]
    others: list[float]
    failed: int
    difference: float | None
    interval: Interval | None


def compare(record: Record, name: str, other: str | float, score: str) -> Comparison:
    """Compare a run with another one, seed by seed, or with a number."""
    values, failed = scores(record, name, score)
    if isinstance(other, str):
        others, _ = scores(record, other, score)
    else:
        others = dict.fromkeys(values, float(other))
    differences = [value - others[seed] for seed, value in values.items() if seed in others]
    return Comparison(
        list(values.values()),
        list(others.values()) if isinstance(other, str) else [float(other)],
        failed,
        fmean(differences) if differences else None,
        interval(differences) if name != other else None,
    )


def scores(record: Record, name: str, score: str) -> tuple[dict[int, float], int]:
    """Return a run's scores by seed, and the number of seeds that have none."""
    runs = {seed: found.scores.get(score) for (run, seed), found in sorted(record.items()) if run == name}
    values = {seed: value for seed, value in runs.items() if value is not None}
    return values, len(runs) - len(values)


def interval(values: list[float]) -> Interval | None:
    """Return the 95 % confidence interval of a mean by Student's t; None for fewer than two values."""
    if len(values) < 2:
        return None
    mean, n = fmean(values), len(values)
    half = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * stdev(values) / n**0.5
    return (mean - half, mean + half)


def spread(values: list[float]) -> str:
    """Return mean ± standard deviation, to three digits."""
    if not values:
        return "none"
    return f"{fmean(values):.3g} ± {stdev(values):.2g}" if len(values) > 1 else f"{values[0]:.3g}"


def between(found: Interval | None) -> str:
    """Return an interval in brackets."""
    return f"[{found[0]:+.3g}, {found[1]:+.3g}]" if found is not None else "none"


def direction(found: Interval | None) -> str:
    """Return on which side of zero an interval of differences lies."""
    if found is None:
        return "too few runs"
    low, high = found
    return "lower" if high < 0 else "higher" if low > 0 else "not significantly different"
