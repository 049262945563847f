"""Lines of a log: one for each record, in which every character can be seen; tracebacks keep theirs."""

import logging
import os

import pytest

from gan_framework.runs.logs import MaskingFormatter, RunLog

HOSTILE = "c\x1b[2J\nINFO forged\r\x07"


def formatted(*message, exc_info=None):
    record = logging.LogRecord("name", logging.INFO, "file", 1, *message, exc_info)
    return MaskingFormatter("[%(levelname)s] %(message)s").format(record)


def test_a_record_is_one_line_in_which_all_can_be_seen():
    assert formatted("reading %s", (HOSTILE,)) == r"[INFO] reading c\x1b[2J\nINFO forged\r\x07"
    assert formatted("Größe ±\n", ()) == "[INFO] Größe ±"
    assert formatted("%d of %s", (3, "four")) == "[INFO] 3 of four"


def test_a_traceback_keeps_its_lines_and_no_more(monkeypatch):
    monkeypatch.setenv("SOME_PASSWORD", "hunter2-hunter2")
    try:
        raise ValueError("no \x1b[2J hunter2-hunter2")
    except ValueError as error:
        text = formatted("failed", (), exc_info=(type(error), error, error.__traceback__))
    assert text.splitlines()[:2] == ["[INFO] failed", "Traceback (most recent call last):"]
    assert text.splitlines()[-1] == r"ValueError: no \x1b[2J ***"
    assert "\x1b" not in text and len(text.splitlines()) >= 4


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_log_is_a_file_of_its_own(tmp_path, link):
    (tmp_path / "precious").write_text("mine\n")
    link(tmp_path / "precious", tmp_path / "run.log")
    handler = RunLog(tmp_path / "run.log")
    handler.emit(logging.LogRecord("name", logging.INFO, "file", 1, "said", (), None))
    handler.close()
    assert (tmp_path / "run.log").read_text() == "said\n" and (tmp_path / "precious").read_text() == "mine\n"
    handler = RunLog(tmp_path / "run.log")  # a resumed run's
    handler.emit(logging.LogRecord("name", logging.INFO, "file", 1, "more", (), None))
    handler.close()
    assert (tmp_path / "run.log").read_text() == "said\nmore\n"
