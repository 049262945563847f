import math

import pytest

from gan_framework.storage.numbers import rounded, score


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (88.97786, "88.98"),
        (1.00017, "1.000"),
        (1.0, "1"),
        (8.0, "8"),
        (-0.387, "-0.3870"),
        (0.0714463, "0.07145"),
        (0.00043, "0.0004300"),
        (3.14159e-5, "3.142e-05"),
        (5.371e-12, "0"),
        (-5.371e-12, "0"),
        (0.0, "0"),
        (-0.0, "0"),
        (999.96, "1000"),
        (1234.5, "1234"),
        (9999.96, "10000"),
        (0.9774647951126099, "0.9775"),
        (123456.7, "123457"),
        (1.5e9, "1.500e+09"),
        (-677.7, "-677.7"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_scores_are_shown_to_four_digits_and_whole_numbers_as_they_are(value, shown):
    assert score(value) == shown


def test_files_keep_seven_digits():
    assert rounded(1.00000012345) == 1.0
    assert rounded(0.123456789) == 0.1234568
    assert rounded(123456789.0) == 123456800.0
