"""Runs that are read side by side."""

import os
import sys
import time

import pytest

from gan_framework.compare import folder, reading
from gan_framework.compare.records import Damaged
from tests.helpers.comparing import make_run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere runs are read one after another")


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "WORTH_IT", 0)
    monkeypatch.setattr(reading, "_cores", lambda: 3)
    runs = [make_run(tmp_path / f"run{i}", f"loss{i}", i, [1.0 + i], grid=i == 2) for i in range(10)]
    (runs[4] / "summary.json").write_text("{")
    return runs


def essence(found):
    return [
        (run.place, run.why)
        if isinstance(run, Damaged)
        else (run.place, run.summary, run.config, run.curves, [grid.read() for grid in run.grids])
        for run in found
    ]


def test_what_is_read_side_by_side_is_the_same_in_the_same_order(runs):
    found = reading.read_runs(runs)
    assert [run.place for run in found] == list(map(str, runs))
    assert isinstance(found[4], Damaged) and len(found[2].grids) == 3
    assert essence(found) == essence(map(folder.read_run, runs))


def test_a_process_that_is_killed_loses_nothing(runs, monkeypatch):
    here = os.getpid()

    def read_run(path):
        if os.getpid() != here and path.name == "run3":
            os._exit(9)
        return folder.read_run(path)

    monkeypatch.setattr(reading, "read_run", read_run)
    assert essence(reading.read_runs(runs)) == essence(map(folder.read_run, runs))


def test_no_process_outlives_the_one_that_asked(runs, tmp_path, monkeypatch):
    """Not even if that is killed: nobody receives what they have read."""

    def read_run(path):
        (tmp_path / f"pid{os.getpid()}").touch()
        time.sleep(0.2)
        return folder.read_run(path)

    monkeypatch.setattr(reading, "read_run", read_run)
    parent = os.fork()
    if parent == 0:
        try:
            reading.read_runs(runs)
        finally:
            os._exit(0)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("pid*"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(parent, 9)
    os.waitpid(parent, 0)
    pids = [int(path.name.removeprefix("pid")) for path in tmp_path.glob("pid*")]
    assert len(pids) == 3

    def alive(pid):
        try:
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, pids))
