"""Statistics of a comparison: equal to scipy's, right in simulations, and careful where spreads differ."""

import math

import numpy as np
import pytest
from scipy import stats

from gan_framework.compare import statistics
from gan_framework.compare.statistics import differences, paired_differences, seeds_needed, t_interval


def drawn(seed, deviations, n, means=None):
    random = np.random.default_rng(seed)
    means = [0.0] * len(deviations) if means is None else means
    return [list(random.normal(mean, deviation, n)) for mean, deviation in zip(means, deviations, strict=True)]


@pytest.mark.parametrize("count", [2, 3, 12, 60])
@pytest.mark.parametrize("freedom", [2.0, 3.7, 10.0, 80.0])
def test_the_largest_of_all_pairs_is_the_studentized_range(count, freedom):
    tail = statistics._largest_of_all_pairs(count)
    for t in (0.5, 2.0, 6.0):
        expected = stats.studentized_range.sf(t * math.sqrt(2), count, freedom)
        assert tail(t, freedom) == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("count", "freedom", "expected"), [(1, 5, 2.571), (2, 10, 2.57), (3, 10, 2.76), (9, 20, 2.95), (4, 60, 2.51)]
)
def test_the_largest_against_one_is_dunnetts(count, freedom, expected):
    # Dunnett 1964, New tables for multiple comparisons with a control, Biometrics 20, table II (two-sided, 5%).
    found = statistics._critical(statistics._largest_against_one(count), float(freedom))
    assert found == pytest.approx(expected, abs=0.006)


def test_an_interval_of_a_mean_is_students():
    values = [20.1, 22.4, 19.7, 21.0]
    expected = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert t_interval(values) == pytest.approx(expected)
    assert t_interval([20.1]) is None


def test_groups_that_are_alike_in_spread_are_compared_as_scipy_does():
    groups = drawn(0, [1, 1, 1, 1], 5, [0, 0, 1, 2])
    pooled, own = stats.tukey_hsd(*groups), differences([groups[0], groups[3]], 0, False)[1]
    found = differences(groups, 0, False)
    assert found[0] is None
    for i in (1, 2, 3):
        assert found[i].estimate == pytest.approx(np.mean(groups[i]) - np.mean(groups[0]))
        assert found[i].p >= pooled.pvalue[0, i] - 1e-6  # Games and Howell's test has to agree
        assert found[i].low <= pooled.confidence_interval().low[i, 0] + 1e-3
    assert own.p == pytest.approx(stats.ttest_ind(groups[0], groups[3], equal_var=False).pvalue, rel=1e-3)


def test_against_a_baseline_it_is_dunnetts_test():
    groups = drawn(2, [1, 1, 1], 30, [0, 0.4, 1.0])
    expected = stats.dunnett(*groups[1:], control=groups[0], random_state=0).pvalue
    found = differences(groups, 0, True)
    for mine, theirs in zip(found[1:], expected, strict=True):
        assert theirs * 0.98 <= mine.p <= 2 * theirs  # the pair's own spreads have to agree
    all_pairs = differences(groups, 0, False)
    assert all(mine.p < other.p for mine, other in zip(found[1:], all_pairs[1:], strict=True))


def test_a_group_that_has_collapsed_hides_no_difference_of_the_others():
    groups = [[20.0, 20.4, 19.9], [23.1, 22.8, 23.5], [22.9, 23.3, 23.0], [310.0, 150.0, 420.0]]
    found = differences(groups, 0, False)
    assert found[1].sure
    assert found[2].sure
    # Tukey's test alone sees nothing here.
    assert stats.tukey_hsd(*groups).pvalue[0, 1] > 0.9


def test_one_score_is_no_group():
    assert differences([[1.0, 2.0], [3.0]], 0, False) == [None, None]
    assert differences([[1.0], [3.0, 4.0]], 0, False) == [None, None]
    found = differences([[1.0, 2.0, 1.5], [3.0], [5.0, 5.1, 4.8]], 0, False)
    assert found[1] is None
    assert found[2].sure


def test_equal_scores_are_no_trouble():
    found = differences([[1.0, 1.0], [1.0, 1.0]], 0, False)[1]
    assert (found.estimate, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert differences([[1.0, 1.0], [2.0, 2.0]], 0, False)[1].p == 0


def test_two_paired_groups_are_students_paired_test():
    a, b = [20.0, 31.0, 25.0, 28.0], [21.1, 31.9, 26.4, 28.8]
    found = paired_differences([a, b], 0, True)[1]
    expected = stats.ttest_rel(b, a)
    low, high = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-3)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-3)
    assert not differences([a, b], 0, True)[1].sure
    assert found.sure
    with pytest.raises(ValueError, match="same seeds"):
        paired_differences([a, b[:3]], 0, True)


@pytest.mark.parametrize("n", [3, 5])
@pytest.mark.parametrize("deviations", [(1, 1), (1, 4), (1, 1, 1, 1), (1, 2, 3, 4), (1, 1, 1, 30)], ids=str)
def test_groups_that_are_equal_are_seldom_told_apart(n, deviations):
    wrong = 0
    for seed in range(SIMULATED):
        groups = drawn(seed, deviations, n)
        best = min(range(len(groups)), key=lambda i: np.mean(groups[i]))
        wrong += any(found.sure for found in differences(groups, best, False) if found is not None)
    assert wrong / SIMULATED <= 0.06 + 2 * math.sqrt(0.05 * 0.95 / SIMULATED)


SIMULATED = 120


def test_intervals_hold_the_true_difference():
    held = 0
    for seed in range(SIMULATED):
        found = differences(drawn(seed, (1, 1.5), 4, (0, 2)), 0, False)[1]
        held += found.low <= 2 <= found.high
    assert 0.92 <= held / SIMULATED <= 0.985


@pytest.mark.slow
def test_seeds_needed_find_the_difference_as_often_as_asked():
    n = seeds_needed(2.0, 1.0, 2)
    assert n == 6  # G*Power's two-sided t-test of two means, d = 2, power 0.8
    shown = sum(differences(drawn(seed, (1, 1), n, (0, 2)), 0, False)[1].sure for seed in range(SIMULATED))
    assert shown / SIMULATED >= 0.75
    assert seeds_needed(2.0, 1.0, 12) > n
    assert seeds_needed(1e-3, 1.0, 2) is None
    assert seeds_needed(1.0, 0.0, 2) == 2
