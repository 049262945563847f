"""What is said of a run where there is no terminal."""

import logging
import sys

import pytest

from gan_framework.runs import progress
from gan_framework.runs.progress import EVERY, Progress, duration


@pytest.fixture
def clock(monkeypatch):
    """The time, which tests set."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_without_a_terminal_a_line_is_logged_when_it_is_due_by_time(clock, caplog):
    shown = Progress(1000)
    losses = {"train/generator/adversarial": 0.6934, "train/generator/penalty": 3.0, "eval/fid_raw": 12.0}
    with caplog.at_level(logging.INFO):
        for step, parts in ((10, 0.0), (20, 0.5), (40, 0.99), (70, 1.0), (80, 1.1), (130, 2.0)):
            clock[0] = 100.0 + parts * EVERY
            shown.show(step, losses, 1.0)
    assert [record.getMessage() for record in caplog.records] == [
        "step 70 of 1,000 (7%), 2 steps/s, 8 min left: generator 0.693, fid_raw 12.000",
        "step 130 of 1,000 (13%), 2 steps/s, 7 min left: generator 0.693, fid_raw 12.000",
    ]


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (119, "119 s"), (150, "2 min"), (9000, "2.5 h")])
def test_lengths_of_time_in_words(seconds, words):
    assert duration(seconds) == words


def test_a_closed_stream_is_no_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with Progress(3) as shown:
        shown.show(1, {}, 1.0)
