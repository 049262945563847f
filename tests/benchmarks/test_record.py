"""The record of runs survives kills at any moment."""

from pathlib import Path

import pytest
from evidence.job import Outcome
from evidence.record import Found, RecordFile


def outcome(status="finished", **scores):
    return Outcome(status, scores, 1.5, Path(), "")


@pytest.fixture
def file(tmp_path):
    return RecordFile(tmp_path / "deep" / "runs.csv", ("fid", "kid"))


def test_what_was_added_is_read(file):
    file.add("a, b", 0, outcome(fid=2.5, other=3.0))
    file.add("c", 1, outcome("failed"))
    assert file.read() == {("a, b", 0): Found({"fid": 2.5}, 1.5), ("c", 1): Found({}, 1.5)}


@pytest.mark.parametrize("status", ["stopped", "refused"])
def test_what_was_not_run_to_its_end_is_made_another_time(file, status):
    file.add("a", 0, outcome(status))
    assert file.read() == {}


def test_a_line_cut_short_is_none_and_in_nobody_s_way(file):
    file.add("a", 0, outcome(fid=2.5))
    file.add("b", 0, outcome(fid=3.5))
    whole = file.path.read_text()
    for cut in range(len(whole)):
        file.path.write_text(whole[:cut])
        before = set(file.read())
        assert before <= {("a", 0), ("b", 0)}
        file.add("c", 0, outcome(fid=4.5))
        assert set(file.read()) == {*before, ("c", 0)}
