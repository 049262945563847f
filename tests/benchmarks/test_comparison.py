"""Intervals, and what is said of them."""

import pytest
from evidence.comparison import compare, direction, interval, spread
from evidence.objective_claims import FAMILIES, SCORES, WORST, Claim
from evidence.objective_page import MISSING, NOT, OPEN, SHOWS, evidence, page, verdict
from evidence.objective_rows import ROWS
from evidence.record import Found
from scipy.stats import ttest_rel

CLAIMS = [claim for family in FAMILIES.values() for claim in family]


def record(**runs):
    return {
        (name, seed): Found({} if value is None else {"score": value}, 1.0)
        for name, values in runs.items()
        for seed, value in enumerate(values)
    }


def test_the_interval_is_that_of_the_paired_test():
    a, b = [3.0, 4.5, 5.0], [1.0, 2.0, 4.5]
    found = compare(record(a=a, b=b), "a", "b", "score")
    expected = ttest_rel(a, b).confidence_interval(0.95)
    assert found.interval == pytest.approx((expected.low, expected.high))
    assert found.difference == pytest.approx(sum(a) / 3 - sum(b) / 3)


def test_only_seeds_that_both_have_are_compared():
    found = compare(record(a=[3.0, None, 5.0], b=[1.0, 2.0]), "a", "b", "score")
    assert (found.difference, found.interval, found.failed) == (2.0, None, 1)


def test_a_run_can_be_compared_with_a_number():
    found = compare(record(a=[8.0, 8.0, 8.0]), "a", 7.5, "score")
    assert found.interval == (0.5, 0.5) and found.others == [7.5]


@pytest.mark.parametrize(
    ("values", "said"),
    [([1.0, 1.1, 1.2], "higher"), ([-1.0, -1.1, -1.2], "lower"), ([-1.0, 1.0], "not significantly different")],
)
def test_the_direction_is_told_where_zero_is_left_out(values, said):
    assert direction(interval(values)) == said
    assert direction(interval(values[:1])) == "too few runs"


@pytest.mark.parametrize(
    ("side", "margin", "values", "said"),
    [
        ("more", 0.0, [5.0, 5.1, 5.2], SHOWS),
        ("more", 0.0, [3.0, 3.1, 3.2], NOT),
        ("more", 0.0, [2.0, 4.0, 6.0], OPEN),
        ("more", 0.0, [5.0], MISSING),
        ("less", 0.0, [3.0, 3.1, 3.2], SHOWS),
        ("less", 0.0, [5.0, 5.1, 5.2], NOT),
        ("not less", 1.0, [3.5, 3.6, 3.7], SHOWS),
        ("not less", 1.0, [2.0, 2.1, 2.2], NOT),
        ("not more", 1.0, [4.4, 4.5, 4.6], SHOWS),
        ("not more", 1.0, [6.0, 6.1, 6.2], NOT),
    ],
)
def test_a_claim_shows_where_its_whole_interval_lies_on_its_side(side, margin, values, said):
    claim = Claim("", "a", "score", side, 4.0, margin)
    assert verdict(claim, compare(record(a=values), "a", 4.0, "score")) == said


def test_a_run_that_failed_covers_no_modes():
    score = next(iter(WORST))
    found = evidence(Claim("", "a", score, "more", 1.0), {("a", 0): Found({}, 1.0), ("a", 1): Found({score: 8.0}, 1.0)})
    assert found.values == [0.0, 8.0]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.run)
def test_claims_name_rows_and_scores_that_there_are(claim):
    assert claim.run in ROWS
    assert not isinstance(claim.other, str) or claim.other in ROWS
    assert claim.score in (*SCORES, "cpu_seconds")
    assert claim.side in ("more", "less", "not more", "not less")


def test_every_row_is_of_use():
    others = {claim.other for claim in CLAIMS if isinstance(claim.other, str)}
    used = {claim.run for claim in CLAIMS} | others
    assert ROWS.keys() == used


def test_the_page_of_no_runs_says_that_they_are_missing():
    text = page({})
    assert text.count(f"**{MISSING}**") == len(CLAIMS)


def test_a_spread_is_to_three_digits():
    assert spread([1.0, 2.0]) == "1.5 ± 0.71" and spread([3.14159]) == "3.14" and spread([]) == "none"
