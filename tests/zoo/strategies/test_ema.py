"""The average of a short run, which stays near the untrained weights."""

import logging

import pytest
from torch import nn

from gan_zoo.strategies.ema import Average


def first_words(caplog, decay, warmup, planned):
    following = Average(nn.Linear(1, 1), nn.Linear(1, 1), decay, warmup, planned)
    with caplog.at_level(logging.WARNING):
        following()
        following()
    return caplog.messages


def test_a_short_run_is_told_that_its_average_will_be_untrained_and_what_to_set(caplog):
    (said,) = first_words(caplog, 0.999, 0, 700)
    assert "after 700 steps, 50% of the averaged weights" in said  # 0.999^700 = 0.496
    assert said.endswith("try strategy.ema.decay=0.986, or strategy.ema.warmup=140")
    assert 0.986**700 < 1e-4


@pytest.mark.parametrize(
    ("decay", "warmup", "planned"), [(0.999, 0, 5000), (0.99, 0, 700), (0.999, 100, 700), (0.9, 0, 3)]
)
def test_otherwise_nothing_is_said(caplog, decay, warmup, planned):
    assert not first_words(caplog, decay, warmup, planned)


def test_a_resumed_run_is_not_told_again(caplog):
    following = Average(nn.Linear(1, 1), nn.Linear(1, 1), 0.999, 0, 700)
    following.set_extra_state({"steps": 20})
    with caplog.at_level(logging.WARNING):
        following()
    assert not caplog.messages
