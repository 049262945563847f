"""A job in a process of its own: what it does to itself reaches nobody else, and signals reach it."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from gan_framework.errors import ConfigError, RunFailed, RunStopped
from gan_framework.runs.process import Killed, isolated

STATE = {"jobs": 0}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


@pytest.fixture
def stop_file(tmp_path):
    return tmp_path / ".stop"


def wait_until_stopped(stop):
    deadline = time.monotonic() + 20
    while not stop.requested:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    raise RunStopped(f"stopped by {stop.reason}")


def test_the_result_comes_back_and_the_state_does_not(stop_file):
    def work(stop):
        STATE["jobs"] += 1
        os.environ["LEFT_BEHIND"] = "1"
        return os.getpid(), STATE["jobs"]

    first, second = isolated(work, stop_file), isolated(work, stop_file)
    assert first[1] == second[1] == 1
    assert len({os.getpid(), first[0], second[0]}) == 3
    assert "LEFT_BEHIND" not in os.environ


def hang_up(stop):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever started the tests under nohup has it ignored
    os.kill(os.getpid(), signal.SIGHUP)


@pytest.mark.parametrize(
    ("work", "error", "message"),
    [
        (lambda stop: os.kill(os.getpid(), signal.SIGKILL), Killed, "killed by SIGKILL"),
        (hang_up, Killed, "killed by SIGHUP"),
        (lambda stop: os._exit(7), Killed, "exit code 7"),
        (lambda stop: sys.exit(5), RunFailed, "SystemExit: 5"),
        (lambda stop: 1 / 0, RunFailed, "ZeroDivisionError: division by zero"),
    ],
)
def test_however_it_dies_the_parent_says_why(stop_file, work, error, message):
    with pytest.raises(error, match=message):
        isolated(work, stop_file)


def test_our_errors_keep_their_kind_even_if_a_plugins_own_cannot_be_sent(stop_file):
    class Strange(ConfigError):
        def __init__(self, setting, value):
            super().__init__(f"{setting}={value} is wrong")

    def work(stop):
        raise Strange("loss", "x")

    with pytest.raises(ConfigError, match="^loss=x is wrong$"):
        isolated(work, stop_file)


def test_a_signal_to_the_parent_stops_the_job_and_then_reaches_the_earlier_handler(stop_file):
    told = []
    before = signal.signal(signal.SIGUSR2, lambda number, frame: told.append((number, time.monotonic())))
    try:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR2)).start()

        def work(stop):
            try:
                wait_until_stopped(stop)
            finally:
                time.sleep(0.3)

        begun = time.monotonic()
        with pytest.raises(RunStopped, match="SIGUSR2"):
            isolated(work, stop_file)
        assert [number for number, _ in told] == [signal.SIGUSR2]
        assert told[0][1] - begun >= 0.6
        os.kill(os.getpid(), signal.SIGUSR2)
        assert len(told) == 2
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_the_stop_file_stops_the_job(stop_file):
    threading.Timer(0.2, stop_file.touch).start()
    with pytest.raises(RunStopped, match="SIGTERM"):
        isolated(wait_until_stopped, stop_file)


def test_modules_that_a_job_imported_are_there_for_the_next(stop_file, tmp_path, monkeypatch):
    (tmp_path / "imported_by_a_job.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    def work(stop):
        known = "imported_by_a_job" in sys.modules
        import imported_by_a_job  # noqa: F401

        return known

    assert [isolated(work, stop_file), isolated(work, stop_file)] == [False, True]


PARENT = """
import os, sys, time
from pathlib import Path
from gan_framework.runs.process import isolated
def work(stop):
    Path(sys.argv[1]).write_text(str(os.getpid()))
    time.sleep(60)
isolated(work, Path(sys.argv[1] + ".stop"))
"""


def test_a_job_does_not_outlive_its_parent(tmp_path):
    path = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(path)])
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child = int(path.read_text())
    parent.kill()
    parent.wait()
    while os.path.exists(f"/proc/{child}") and "State:\tZ" not in open(f"/proc/{child}/status").read():
        assert time.monotonic() < deadline
        time.sleep(0.02)
