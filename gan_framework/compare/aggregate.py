"""What scores on several data sets say together: pure functions of lists of scores.

Scores of different data sets have different scales, so they are compared by ranks (Demšar 2006, Statistical Comparisons
of Classifiers over Multiple Data Sets, JMLR 7) or as multiples of each data set's median, of which the interquartile
mean and the performance profile are taken (Agarwal et al. 2021, arXiv 2108.13264).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median
from typing import NamedTuple

from gan_framework.compare.statistics import CONFIDENCE, Interval

RESAMPLES = 4000
"""Of the bootstrap."""

Scores = Sequence[Sequence[Sequence[float]]]
"""By group, data set and seed."""


class Ranking(NamedTuple):
    """The groups' places, averaged over data sets.

    Attributes:
        ranks: the average rank of each group; 1 is the best, ties share their ranks.
        critical: groups whose average ranks differ by at least this are different (Nemenyi, 5%).
        p: that all groups are alike (Friedman); None for two groups.
    """

    ranks: list[float]
    critical: float
    p: float | None


def ranking(scores: Scores, higher_is_better: bool) -> Ranking:
    """Rank groups by their mean in each data set.

    Raises:
        ValueError: there are fewer than two groups or data sets.
    """
    import numpy as np
    from scipy.stats import friedmanchisquare, rankdata, studentized_range

    count, sets = len(scores), len(scores[0]) if scores else 0
    if count < 2 or sets < 2:
        raise ValueError(f"{count} groups on {sets} data sets: two of each are the least")
    means = np.array([[fmean(own) for own in group] for group in scores])
    ranks = rankdata(-means if higher_is_better else means, axis=0)
    quantile = float(studentized_range.ppf(CONFIDENCE, count, np.inf)) / math.sqrt(2)
    critical = quantile * math.sqrt(count * (count + 1) / (6 * sets))
    p = float(friedmanchisquare(*means).pvalue) if count > 2 else None
    return Ranking([float(rank) for rank in ranks.mean(1)], critical, p)


def relative(scores: Scores) -> list[list[list[float]]]:
    """Return scores as multiples of the median of all runs of their data set: 1 is what a typical run has.

    Raises:
        ValueError: a data set's scores are not all above 0.
    """
    typical = []
    for i in range(len(scores[0])):
        own = [score for group in scores for score in group[i]]
        if min(own) <= 0:
            raise ValueError("multiples of a median need scores above 0")
        typical.append(median(own))
    return [[[score / typical[i] for score in own] for i, own in enumerate(group)] for group in scores]


def interquartile_mean(values: Sequence[float]) -> float:
    """Return the mean of the middle half of the values, those at its ends by their share."""
    import numpy as np

    ordered = np.sort(np.asarray(values, dtype=float))
    n = len(ordered)
    low, high = n / 4, 3 * n / 4
    place = np.arange(n)
    weights = np.clip(np.minimum(place + 1, high) - np.maximum(place, low), 0, 1)
    return float((weights * ordered).sum() / weights.sum())


def interquartile_interval(group: Sequence[Sequence[float]], seed: int = 0) -> Interval | None:
    """Return the interval of the interquartile mean of a group: the bootstrap within each data set.

    Deviations from a data set's mean are widened by √(n / (n - 1)), without which a bootstrap of n seeds is too sure.

    Args:
        group: scores by data set and seed.
        seed: of the resamples.

    Returns:
        None if no data set has two seeds.
    """
    import numpy as np

    if all(len(own) < 2 for own in group):
        return None
    random, drawn = np.random.default_rng(seed), []
    for own in group:
        values = np.asarray(own, dtype=float)
        n = len(values)
        wide = values.mean() + (values - values.mean()) * (math.sqrt(n / (n - 1)) if n > 1 else 1.0)
        drawn.append(wide[random.integers(0, n, (RESAMPLES, n))])
    resampled = [interquartile_mean(row) for row in np.concatenate(drawn, 1)]
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(low), float(high))


def profile(group: Sequence[Sequence[float]], bounds: Sequence[float], higher_is_better: bool) -> list[float]:
    """Return for each bound the share of a group's runs that are as good, each data set counted alike.

    Args:
        group: scores by data set and seed.
        bounds: scores.
        higher_is_better: whether as good is at least a bound, or at most.
    """
    sign = 1 if higher_is_better else -1
    return [fmean(fmean(float(sign * score >= sign * bound) for score in own) for own in group) for bound in bounds]
