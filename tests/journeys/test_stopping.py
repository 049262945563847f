"""Signals to the real program: it saves what it has, says so, and is gone soon; the same command goes on exactly."""

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest

from gan_framework.evaluation.stopping import stop_point, stoppable
from gan_framework.runs import checkpoint
from gan_framework.runs.signals import Interrupted, StopRequest
from tests.helpers.resuming import count, difference, finish, start, wait

ROOT = Path(__file__).parents[2]

SMALL = [
    "model=mlp",
    "data.image_size=8",
    "extractor=raw",
    "metrics=[fid]",
    "sample.count=4",
    "tracker=[]",
    "train.batch_size=8",
    "train.log_every=1",
    "train.sample_every=3",
    "train.checkpoint_every=50",
]
OFTEN = ["train.sample_every=4", "evaluate.every=4", "evaluate.samples=20000", "evaluate.batch_size=50"]
SCORING = [*SMALL, "train.steps=8", *OFTEN]


def stopped_by(number, process, folder):
    """Send a signal and return what is said last; the run must end with code 3 and leave a summary within 10 s."""
    before = time.monotonic()
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - before < 10
    assert process.returncode == 3, output
    assert "Traceback" not in output
    assert json.loads((folder / "summary.json").read_text())["status"] == "stopped"
    return output.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU], ids=lambda n: n.name
)
def test_a_signal_stops_a_run(tmp_path, cache, number):
    process = start(tmp_path, *SMALL, "train.steps=1000000")
    wait(process, lambda: count(tmp_path) >= 3)
    assert stopped_by(number, process, tmp_path).startswith(f"stopped: {number.name} at step")
    assert len(list((tmp_path / "checkpoints").glob("step_*.pt"))) >= 1


def test_a_run_whose_terminal_is_closed_is_saved(tmp_path, cache):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), *SMALL, "train.steps=1000000", f"hydra.run.dir={tmp_path}"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        env={**os.environ, "GAN_FRAMEWORK_CACHE": str(cache)},
    )
    os.close(theirs)
    drain = threading.Thread(target=_drain, args=(ours, tmp_path), daemon=True)
    drain.start()
    drain.join(60)
    os.close(ours)  # as when the window is closed, or the connection breaks
    assert process.wait(30) == 3
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["status"] == "stopped" and "SIGHUP" in summary["error"]
    assert checkpoint.load(tmp_path / "checkpoints" / "last.pt")["clock"]["step"] == summary["step"] >= 3


def _drain(terminal, folder):
    """Read what is shown, as a terminal does, until the run is under way."""
    while count(folder) < 3:
        os.read(terminal, 4096)


def test_a_run_that_is_stopped_while_it_is_scored_goes_on_exactly(tmp_path, cache):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    code, output = finish(whole, *SCORING)
    assert code == 0, output
    process = start(broken, *SCORING)
    wait(process, (broken / "samples" / "step_0000004.png").exists)  # drawn just before they are scored
    assert "while the samples at step 4 were scored" in stopped_by(signal.SIGTERM, process, broken)
    assert count(broken) == 3
    code, output = finish(broken, *SCORING)
    assert code == 0, output
    assert "resumed from" in output
    assert difference(whole, broken) == []


def text_of(path):
    return path.read_text() if path.exists() else ""


def test_a_run_is_stopped_while_its_classifier_is_trained(tmp_path, cache, monkeypatch):
    monkeypatch.setenv("GAN_FRAMEWORK_CACHE", str(tmp_path / "cache"))
    settings = [*SMALL, "extractor=classifier", "extractor.epochs=100000", "evaluate.every=2", "train.steps=8"]
    process = start(tmp_path, *settings)
    wait(process, lambda: "training extractor=classifier" in text_of(tmp_path / "run.log"))
    assert "stopped: SIGTERM before " in stopped_by(signal.SIGTERM, process, tmp_path)
    assert count(tmp_path) == 0


def test_a_second_interrupt_ends_a_run_at_once(tmp_path, cache):
    endless = ["strategy=[k_step]", "strategy.k_step.k=1000000000"]
    process = start(tmp_path, *SMALL, *endless)
    wait(process, lambda: (tmp_path / "config.yaml").exists())
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert time.monotonic() - before < 5


def test_what_takes_long_is_left_at_its_next_stop_point():
    with StopRequest() as stop, stoppable(stop.check):
        stop_point()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            stop_point()
    stop_point()  # outside nobody asks


def test_a_signal_is_only_noted():
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGUSR2)
        signal.raise_signal(signal.SIGTERM)
        assert (stop.requested, stop.reason) == (True, "SIGUSR2")
