"""What is said of a run where there is no terminal."""

import io
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
        "step 70 of 1,000 (7%), 2 steps/s, 8 min left: loss_G 0.6934, fid_raw 12",
        "step 130 of 1,000 (13%), 2 steps/s, 7 min left: loss_G 0.6934, fid_raw 12",
    ]


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (119, "119 s"), (150, "2 min"), (9000, "2.5 h")])
def test_lengths_of_time_in_words(seconds, words):
    assert duration(seconds) == words


def test_a_closed_stream_is_no_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with Progress(3) as shown:
        shown.show(1, {}, 1.0)


class Terminal(io.StringIO):
    """What a terminal is for rich and logging."""

    def isatty(self):
        return True


def test_in_a_terminal_nothing_is_cut_off_and_log_lines_stand_above_the_bar(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "72")
    handler = logging.StreamHandler(terminal)
    logging.getLogger().addHandler(handler)
    try:
        with Progress(1000) as shown:
            metrics = {"train/discriminator/adversarial": 0.979, "train/generator/adversarial": 0.69}
            metrics |= {f"eval/score_{i}": 10.5 + i for i in range(6)} | {"eval/is_raw": 4.5, "eval/kid_raw": 0.0004}
            shown.show(20, metrics, 250.0)
            logging.getLogger().warning(
                "a line of the log that is longer than the terminal is wide, [bold]%s", "x" * 30
            )
            shown._bar.refresh()
        assert handler.stream is terminal
    finally:
        logging.getLogger().removeHandler(handler)
    text = terminal.getvalue()
    line = f"a line of the log that is longer than the terminal is wide, [bold]{'x' * 30}\n"
    assert text.count(line) == 1
    assert text[text.index(line) :].count("20/1000") >= 1  # the bar is drawn again below it
    last = text[text.index(line) :]
    for part in ("0:00:0", "ETA", "250 images/s", "loss_D 0.9790", "loss_G 0.6900", "is_raw 4.500", "kid_raw"):
        assert part in last, part
