"""Scores over several data sets: by hand, against published examples, and right in simulations."""

import numpy as np
import pytest
from scipy import stats

from gan_framework.compare.aggregate import (
    interquartile_interval,
    interquartile_mean,
    profile,
    ranking,
    relative,
)


def test_the_critical_difference_of_the_papers_example():
    # Demšar 2006, section 3.2.2: four classifiers on 14 data sets, q = 2.569, CD = 1.25.
    random = np.random.default_rng(0)
    scores = [[[random.normal()] for _ in range(14)] for _ in range(4)]
    assert ranking(scores, True).critical == pytest.approx(1.25, abs=0.01)


def test_ranks_are_averaged_and_ties_share_theirs():
    scores = [[[1.0], [5.0], [2.0]], [[2.0], [5.0], [1.0]], [[3.0], [9.0], [3.0]]]
    found = ranking(scores, higher_is_better=False)
    assert found.ranks == pytest.approx([(1 + 1.5 + 2) / 3, (2 + 1.5 + 1) / 3, 3.0])
    assert ranking(scores, higher_is_better=True).ranks[2] == 1.0
    columns = [[own[0] for own in group] for group in scores]
    assert found.p == pytest.approx(stats.friedmanchisquare(*columns).pvalue)


def test_alike_groups_are_rarely_different():
    random, wrong = np.random.default_rng(1), 0
    for _ in range(400):
        found = ranking(random.normal(size=(4, 12, 3)).tolist(), True)
        wrong += max(found.ranks) - min(found.ranks) >= found.critical
    assert wrong / 400 <= 0.075


@pytest.mark.parametrize("n", [4, 5, 6, 7, 8, 31])
def test_the_interquartile_mean_is_scipys_where_quarters_are_whole(n):
    values = np.random.default_rng(n).exponential(size=n)
    ordered = np.repeat(np.sort(values), 4)  # each value as four quarters of itself: now n of them are cut at each end
    assert interquartile_mean(values) == pytest.approx(ordered[n:-n].mean())
    if n % 4 == 0:
        assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values, 0.25))


@pytest.mark.slow
def test_an_interval_holds_the_mean_of_many_seeds():
    random, holds, rounds = np.random.default_rng(2), 0, 150
    places = [1.0, 2.0, 4.0, 5.0, 9.0, 10.0]
    true = interquartile_mean(np.concatenate([random.normal(place, 1, 20_000) for place in places]))
    for i in range(rounds):
        low, high = interquartile_interval([random.normal(place, 1, 5).tolist() for place in places], seed=i)
        holds += low <= true <= high
    assert 0.9 <= holds / rounds <= 0.995
    assert interquartile_interval([[1.0], [2.0]]) is None


def test_scores_become_multiples_of_a_data_sets_median():
    assert relative([[[10.0, 20.0], [0.1, 0.2]], [[30.0], [0.4]]]) == [
        [[0.5, 1.0], [pytest.approx(0.5), 1.0]],
        [[1.5], [2.0]],
    ]
    with pytest.raises(ValueError, match="above 0"):
        relative([[[0.0]], [[1.0]]])


def test_a_profile_counts_data_sets_alike():
    group = [[1.0, 3.0], [2.0, 2.0, 2.0, 5.0]]
    assert profile(group, [0.5, 2.0, 5.0], higher_is_better=False) == [0.0, (0.5 + 0.75) / 2, 1.0]
    assert profile(group, [3.0], higher_is_better=True) == [(0.5 + 0.25) / 2]
