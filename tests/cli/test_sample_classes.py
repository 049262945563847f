"""Classes that a sampling names."""

import pytest

from gan_framework.errors import ConfigError
from gan_framework.evaluation.classes import class_numbers


@pytest.mark.parametrize(
    ("wanted", "names", "said"),
    [
        (["dogg"], ["cat", "dog", "horse", "ship"], "no class dogg; the classes are cat, dog, horse, ship"),
        (["boot"], ["Ankle boot", *"abcdefghij"], "no class boot; the nearest are Ankle boot$"),
        (["zebra"], [*"abcdefghijkl"], "no class zebra; the classes are a, b, c, d, e, f, g, h, i, j, and 2 more"),
        (["Dog"], ["cat", "dog"], "no class Dog; the classes are cat, dog"),
        (["x"], [], "the classes have no names: write their numbers, 7,7,3"),
    ],
)
def test_an_unknown_class_is_answered_in_one_line_with_what_there_is(wanted, names, said):
    with pytest.raises(ConfigError, match=said) as refusal:
        class_numbers(wanted, names)
    assert "\n" not in str(refusal.value)
