"""W&B: what is said and kept when there is no server, no room, no service, no end."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gan_framework.runs.tracker import RunInfo
from gan_framework.runs.tracking import build_trackers
from tests.helpers.wandb_runs import CONFIG, SUMMARY, history, play, read_back, record, said, settings, warnings

pytestmark = pytest.mark.usefixtures("wandb_at_home")


@pytest.mark.parametrize("mode", ["auto", "online"])
def test_a_wrong_key_means_offline(tmp_path, server, caplog, mode):
    server.valid_key = False
    play(tmp_path / "a", mode=mode)
    assert warnings(caplog) == []
    assert "user is not logged in" in caplog.text
    assert "wandb sync" in caplog.text
    assert len(history(read_back(tmp_path / "a"))) == 3


def test_a_malformed_key_means_offline(tmp_path, server, caplog, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "not-a-key-at-all")
    play(tmp_path / "a")
    assert warnings(caplog) == []
    assert "WANDB_API_KEY invalid" in caplog.text
    assert "not-a-key-at-all" not in "".join(said(caplog))
    assert server.asked == []


def test_no_server_means_offline(tmp_path, server, caplog):
    server.__exit__()
    play(tmp_path / "a")
    assert warnings(caplog) == []
    assert "wandb sync" in caplog.text
    assert len(history(read_back(tmp_path / "a"))) == 3


@pytest.mark.parametrize("hanging", ["Viewer", "RunResumeStatus"])
def test_a_server_that_does_not_answer_means_offline(tmp_path, server, caplog, monkeypatch, hanging):
    monkeypatch.setattr("gan_zoo.trackers.wandb.INIT_TIMEOUT", 1.0)
    server.hanging = (hanging,)
    play(tmp_path / "a")
    assert warnings(caplog) == []
    assert "wandb sync" in caplog.text
    assert len(history(read_back(tmp_path / "a"))) == 3


def test_an_upload_that_hangs_ends_at_its_deadline_and_the_record_is_kept(tmp_path, server, caplog):
    server.hanging = ("file_stream",)
    began = time.monotonic()
    play(tmp_path / "a", finish_timeout=1.0)
    assert time.monotonic() - began < 15
    (warning,) = warnings(caplog)
    assert "Timed out" in warning
    assert Path(warning.rpartition("wandb sync ")[2].rstrip("`")).parent == tmp_path / "a" / "wandb"
    assert len(history(read_back(tmp_path / "a"))) == 3


def service():
    import wandb

    return wandb.setup()._connection._proc._process


def test_when_the_service_process_dies_the_run_and_the_next_one_go_on(tmp_path, caplog):
    (tmp_path / "a").mkdir()
    trackers = build_trackers({"wandb": settings()})
    trackers.start(RunInfo(tmp_path / "a", CONFIG))
    trackers.log(record(0))
    wait_for(lambda: "offline" in caplog.text)
    service().kill()
    wait_for(lambda: trackers.log(record(1)) or warnings(caplog))
    for step in range(2, 50):
        trackers.log(record(step))
    trackers.finish(SUMMARY)
    assert len(warnings(caplog)) == 1
    assert "the tracker wandb has failed" in caplog.text

    play(tmp_path / "b")
    assert len(warnings(caplog)) == 1
    assert len(history(read_back(tmp_path / "b"))) == 3


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


SCRIPT = """
import logging, os, resource, signal, sys, time
from pathlib import Path
from gan_framework.runs import background
from gan_framework.runs.tracker import RunInfo
from gan_framework.runs.tracking import build_trackers
logging.basicConfig(level=logging.INFO, stream=sys.stdout)
folder = Path(sys.argv[1])
background.STOPPED_DEADLINE = 0.5
%(before)s
trackers = build_trackers({"wandb": %(settings)r})
trackers.start(RunInfo(folder, {"seed": 0}))
for step in range(%(steps)d):
    trackers.log({"step": step, "images_seen": step, "seconds": 1.0, "updates": {}, "metrics": {
        f"train/{i}": 0.123456789 * (i + step) for i in range(20)} | {f"row/{step}": 1}})
%(trouble)s
trackers.finish({"status": %(status)r, "step": 1, "metrics": {}, "best": None})
print("trackers finished", flush=True)
"""


def run_script(folder, steps=10, before="", trouble="", status="finished", ends=0, **changed):
    """Play a run in a process of its own; return what it says and the seconds it takes to end."""
    folder.mkdir()
    parts = {"settings": settings(**changed), "steps": steps, "before": before, "trouble": trouble}
    script = SCRIPT % {**parts, "status": status}
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if line == "trackers finished\n":
            break
    finished = time.monotonic()
    said.append(process.stdout.read())
    assert process.wait(timeout=30) == ends, "".join(said)
    return "".join(said), time.monotonic() - finished


STARTED = """
while not list(folder.glob("wandb/*/*.wandb")):
    time.sleep(0.02)
began = time.monotonic()
record, = folder.glob("wandb/*/*.wandb")
while b"row/8" not in record.read_bytes() and time.monotonic() - began < 30:  # W&B writes once a second
    time.sleep(0.02)
"""
STOP_SERVICE = """
import wandb
os.kill(wandb.setup()._connection._proc._process.pid, signal.SIGSTOP)
"""
KILL_ALL = """
import wandb
os.kill(wandb.setup()._connection._proc._process.pid, signal.SIGKILL)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_service_process_that_hangs_does_not_keep_a_run_from_ending(tmp_path):
    said, seconds = run_script(tmp_path / "a", trouble=STARTED + STOP_SERVICE, status="stopped")
    assert said.count("WARNING") == 1
    assert "has not finished within 0.5 s" in said
    assert "Traceback" not in said
    assert seconds < 8


def test_a_run_stopped_while_the_server_hangs_ends_soon(tmp_path, server):
    server.hanging = ("file_stream",)
    said, seconds = run_script(tmp_path / "a", trouble=STARTED, status="stopped")
    assert said.count("WARNING") == 1
    assert "has not finished within 0.5 s" in said
    assert "Traceback" not in said
    assert seconds < 8
    assert len(history(read_back(tmp_path / "a"))) >= 9  # the last row is open until the next one


def test_what_was_logged_seconds_before_a_kill_is_kept(tmp_path):
    run_script(tmp_path / "a", trouble=STARTED + KILL_ALL, ends=-signal.SIGKILL)
    assert len(history(read_back(tmp_path / "a"))) == 9


def test_a_record_that_could_not_be_written_is_said_to_be_lost(tmp_path):
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))"
    said, _ = run_script(tmp_path / "a", steps=75, before=limit)
    assert said.count("WARNING") == 1
    assert "File too large" in said
    assert "is cut off" in said


def test_a_home_that_cannot_be_written_is_no_trouble(tmp_path, caplog, capfd, monkeypatch):
    monkeypatch.setenv("HOME", "/proc/no/home")
    play(tmp_path / "a")
    assert warnings(caplog) == []
    assert capfd.readouterr().err == ""
    assert (tmp_path / "a" / "wandb" / "cache").exists()
