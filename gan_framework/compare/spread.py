"""Mean and standard deviation of scores."""

from __future__ import annotations

import math
from statistics import fmean, stdev
from typing import NamedTuple

from gan_framework.compare.verdict import deviating
from gan_framework.storage.numbers import score


class Spread(NamedTuple):
    """Mean and standard deviation (n - 1 in the denominator; NaN for one value) of n values."""

    mean: float
    std: float
    n: int

    def __str__(self) -> str:
        spread = f" ± {deviating(self.std)}" if self.n > 1 else ""
        return f"{score(self.mean)}{spread}"


def spread(values: list[float]) -> Spread:
    """Return mean and standard deviation of values."""
    return Spread(mean(values), deviation(values) if len(values) > 1 else math.nan, len(values))


def mean(values: list[float]) -> float:
    """Return the mean of finite values, NaN for none."""
    if not values:
        return math.nan
    try:
        return fmean(values)
    except OverflowError:  # the sum is no float; the mean is one
        return sum(value / len(values) for value in values)


def deviation(values: list[float]) -> float:
    """Return the standard deviation of at least two finite values, infinity where no float can hold it."""
    try:
        return stdev(values)
    except OverflowError:
        return math.inf
