"""What scores over seeds say about differences between groups: pure functions of lists of scores.

Groups of GAN scores are small, and their spreads differ by orders of magnitude as soon as one of them has collapsed.
So a difference counts only if two tests agree: Tukey's (Dunnett's against a baseline), which pools the spreads of the
groups, and Games and Howell's, which uses the two groups' own. `benchmarks/significance.py` measures how often they are
wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from statistics import fmean, median, variance
from typing import Any, NamedTuple

CONFIDENCE = 0.95
"""Of every interval: one minus the share of false alarms."""

NOISY = 9.0
"""A variance that many times the median's is not pooled for groups that are less noisy."""

NODES = (96, 160)
"""Points of the quadratures over the pooled deviation and over a standard normal value."""

FAR = 8.5
"""Beyond so many deviations nothing of a normal distribution is left."""

POWER = 0.8
"""The chance of finding a difference that `seeds_needed` asks for."""

MOST_SEEDS = 1000

KEPT = 4096
"""Results that are kept for the next question."""

Tail = Callable[[float, float], float]
"""The chance that the largest of several comparisons is above a value, given the degrees of freedom."""


class Interval(NamedTuple):
    """The ends of an interval."""

    low: float
    high: float


class Difference(NamedTuple):
    """How far a group's mean lies above that of another.

    Attributes:
        estimate: the difference of the means.
        low: the lower end of its interval, which holds for all comparisons together.
        high: the upper end.
        p: adjusted for the number of comparisons.
    """

    estimate: float
    low: float
    high: float
    p: float

    @property
    def sure(self) -> bool:
        """Whether it is different from 0 at 5%."""
        return self.p < 1 - CONFIDENCE


def t_interval(values: Sequence[float]) -> Interval | None:
    """Return the interval that holds the mean of what the values are drawn from (Student's t); None for one value."""
    from scipy.stats import t

    n = len(values)
    if n < 2:
        return None
    half = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * math.sqrt(variance(values) / n)
    return Interval(fmean(values) - half, fmean(values) + half)


def differences(groups: Sequence[Sequence[float]], reference: int, chosen_before: bool) -> list[Difference | None]:
    """Return how far each group's mean lies above the reference's, adjusted for the number of comparisons.

    Args:
        groups: the scores of each group, one for each seed.
        reference: the number of the group that the others are compared with.
        chosen_before: whether the reference was named before the scores were seen (a baseline: one comparison for each
            other group, Dunnett 1955), and is not the best of them (all pairs, Tukey 1949).

    Returns:
        A difference for each group; None for the reference and where a group has one score.
    """
    count = sum(len(group) > 1 for group in groups)
    if len(groups[reference]) < 2 or count < 2:
        return [None] * len(groups)
    tail = _largest_against_one(count - 1) if chosen_before else _largest_of_all_pairs(count)
    spreads = [_Spread(variance(group), len(group)) if len(group) > 1 else None for group in groups]
    known, other = [spread for spread in spreads if spread is not None], spreads[reference]
    assert other is not None
    found: list[Difference | None] = []
    for i, (group, own) in enumerate(zip(groups, spreads, strict=True)):
        if i == reference or own is None:
            found.append(None)
            continue
        shares = [spread.variance / spread.n for spread in (own, other)]
        freedom = sum(share**2 / (spread.n - 1) for share, spread in zip(shares, (own, other), strict=True))
        pooled = _pooled(known, own, other)
        pooled_freedom = sum(spread.n - 1 for spread in pooled)
        common = sum(spread.variance * (spread.n - 1) for spread in pooled) / pooled_freedom
        errors = [
            (math.sqrt(sum(shares)), sum(shares) ** 2 / freedom if freedom else math.inf),
            (math.sqrt(common * (1 / own.n + 1 / other.n)), float(pooled_freedom)),
        ]
        found.append(_both(fmean(group) - fmean(groups[reference]), errors, tail))
    return found


def paired_differences(
    groups: Sequence[Sequence[float]], reference: int, chosen_before: bool
) -> list[Difference | None]:
    """Return the same as `differences` for groups whose scores belong together by their place: of the same seeds.

    What a seed adds to all groups alike is taken out: first from the pooled spread (two-way, (k - 1)(n - 1) degrees of
    freedom), and the spread of a pair's own differences has n - 1.

    Raises:
        ValueError: groups have different numbers of scores.
    """
    n, count = len(groups[0]), len(groups)
    if any(len(group) != n for group in groups):
        raise ValueError("paired groups have one score for each of the same seeds")
    if n < 2 or count < 2:
        return [None] * count
    tail = _largest_against_one(count - 1) if chosen_before else _largest_of_all_pairs(count)
    of_seed = [fmean(group[i] for group in groups) for i in range(n)]
    rest = [[score - common for score, common in zip(group, of_seed, strict=True)] for group in groups]
    # Each group's rest lacks a share of 1/k of its own noise.
    spreads = [_Spread(variance(group) * count / (count - 1), n) for group in rest]
    found: list[Difference | None] = []
    for i, group in enumerate(groups):
        if i == reference:
            found.append(None)
            continue
        own = [score - other for score, other in zip(group, groups[reference], strict=True)]
        pooled = _pooled(spreads, spreads[i], spreads[reference])
        errors = [
            (math.sqrt(variance(own) / n), n - 1.0),
            (math.sqrt(2 * fmean(spread.variance for spread in pooled) / n), (len(pooled) - 1) * (n - 1.0)),
        ]
        found.append(_both(fmean(own), errors, tail))
    return found


def adjusted_difference(estimate: float, error: float, freedom: float, count: int) -> Difference:
    """Return a difference of two of `count` estimates, adjusted for all pairs of them (Tukey and Kramer).

    Args:
        estimate: the difference.
        error: its standard error.
        freedom: degrees of freedom of the error.
        count: how many estimates are compared.
    """
    return _both(estimate, [(error, freedom)], _largest_of_all_pairs(count))


class _Spread(NamedTuple):
    """The variance of a group's scores, and their number."""

    variance: float
    n: int


def _pooled(spreads: list[_Spread], *own: _Spread) -> list[_Spread]:
    """Return the spreads that say something of two groups: all but those of groups that are far noisier."""
    most = max(*(spread.variance for spread in own), NOISY * median(spread.variance for spread in spreads))
    return [spread for spread in spreads if spread.variance <= most]


def _both(estimate: float, errors: list[tuple[float, float]], tail: Tail) -> Difference:
    """Return a difference as the more careful of several standard errors, with their degrees of freedom, has it."""
    half = max(error * _critical(tail, _rounded_down(freedom)) for error, freedom in errors)
    p = max((tail(abs(estimate) / error, freedom) if error else float(not estimate)) for error, freedom in errors)
    return Difference(estimate, estimate - half, estimate + half, min(max(p, 0.0), 1.0))


# -- the largest of several comparisons -------------------------------------------------------------


@cache
def _largest_of_all_pairs(count: int) -> Tail:
    """Return the distribution of the largest |t| among all pairs of `count` means (the studentized range over √2)."""
    from scipy.special import ndtr

    return _tail(lambda z, width: count * (ndtr(z) - ndtr(z - width)) ** (count - 1))


@cache
def _largest_against_one(count: int) -> Tail:
    """Return the distribution of the largest |t| of `count` means against one more (Dunnett 1955, two-sided)."""
    from scipy.special import ndtr

    return _tail(lambda z, width: (ndtr(z + width) - ndtr(z - width)) ** count)


def _tail(all_within: Callable[[Any, Any], Any]) -> Tail:
    """Return the chance that not all means are within a width, given that of all for one mean's place z."""
    z, weights = _normal_nodes()

    @lru_cache(KEPT)
    def tail(t: float, freedom: float) -> float:
        deviations, shares = _deviation_nodes(freedom)
        within = (weights * all_within(z, math.sqrt(2) * t * deviations[:, None])).sum(1)
        return float(1 - (shares * within).sum())

    return tail


@cache
def _normal_nodes() -> tuple[Any, Any]:
    import numpy as np

    points, weights = np.polynomial.legendre.leggauss(NODES[1])
    z = FAR * points
    return z, FAR * weights * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


@lru_cache(KEPT)
def _deviation_nodes(freedom: float) -> tuple[Any, Any]:
    """Return where to look at a deviation that is estimated with so many degrees of freedom, over the true one."""
    import numpy as np
    from scipy.stats import chi2

    if math.isinf(freedom):
        return np.ones(1), np.ones(1)
    points, weights = np.polynomial.legendre.leggauss(NODES[0])
    # Small deviations make large comparisons: the points crowd there.
    share = ((points + 1) / 2) ** 2
    return np.sqrt(chi2.ppf(share, freedom) / freedom), weights * (points + 1) / 2


def _rounded_down(freedom: float) -> float:
    """Return degrees of freedom to three digits, so that critical values need not be found for each pair anew."""
    if math.isinf(freedom):
        return freedom
    unit = 10.0 ** (math.floor(math.log10(freedom)) - 2)
    return math.floor(freedom / unit * (1 + 1e-12)) * unit


@lru_cache(KEPT)
def _critical(tail: Tail, freedom: float) -> float:
    from scipy.optimize import brentq

    highest = 4.0
    while tail(highest, freedom) > 1 - CONFIDENCE:
        highest *= 2
    return float(brentq(lambda t: tail(t, freedom) - (1 - CONFIDENCE), 0.0, highest, xtol=1e-6))


def seeds_needed(difference: float, deviation: float, groups: int) -> int | None:
    """Return how many seeds each group needs to show a difference in 80% of cases, all pairs compared; None for many.

    Args:
        difference: of two means, above 0.
        deviation: of the scores over seeds.
        groups: how many are compared.
    """
    from scipy.stats import nct

    if not deviation > 0:
        return 2
    tail = _largest_of_all_pairs(groups)
    for n in range(2, MOST_SEEDS + 1):
        # No fewer degrees of freedom than two groups have count, for their own spreads have to agree.
        freedom = 2.0 * (n - 1)
        shown = float(nct.sf(_critical(tail, freedom), freedom, difference / deviation * math.sqrt(n / 2)))
        if shown >= POWER:
            return n
    return None
