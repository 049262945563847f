"""Sweeps of the real program, small enough to be many."""

import json
import os
import signal
import subprocess
import time

import pytest

from gan_framework.sweeps.folders import Folders
from tests.helpers.program import Program
from tests.helpers.resuming import count

TINY = [
    "model=mlp",
    "train.batch_size=8",
    "train.log_every=1",
    "train.sample_every=0",
    "train.checkpoint_every=2",
    "sample.count=1",
    "evaluate.samples=64",
    "metrics=[fid]",
    "extractor=raw",
    "tracker=[]",
]


class Sweep:
    """A sweep in a process of its own."""

    def __init__(self, folder, *overrides, multirun="-m"):
        self.folder = folder
        self.overrides = [*TINY, *overrides]
        arguments = [multirun, *TINY, *overrides]
        if not any(override.startswith(("sweep.resume=", "hydra.sweep.dir=")) for override in overrides):
            arguments.append(f"hydra.sweep.dir={folder}")
        self.process = Program(arguments, cwd=folder.parent, merged=True)
        self.output = ""

    def end(self, timeout=180):
        """Wait for the end and return the exit code."""
        try:
            self.output = self.process.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            raise AssertionError(self.process.communicate()[0]) from None
        return self.process.returncode

    def wait_for(self, condition, timeout=240, running=True):
        """Wait until something holds, while the sweep runs, and return it."""
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            assert not running or self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return found

    def run(self, *overrides):
        """Return the folder of the run with the overrides, or None if it has not begun."""
        all_of_it = [o for o in (*self.overrides, *overrides) if not o.lstrip("+").startswith("hydra")]
        name = Folders(self.folder).find([*{o.partition("=")[0]: o for o in all_of_it}.values()])
        return self.folder / name if name is not None and (self.folder / name).exists() else None

    def pid(self, *overrides, steps=1):
        """Wait until a run has logged some steps and return the id of its process."""
        self.wait_for(lambda: (run := self.run(*overrides)) and count(run) >= steps)
        return int((self.run(*overrides) / ".owner").read_text().split()[1])

    def summary(self, *overrides):
        return json.loads((self.run(*overrides) / "summary.json").read_text())

    def statuses(self):
        return sorted(json.loads(path.read_text())["status"] for path in self.folder.glob("*/summary.json"))


def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def gone(pid):
    """Whether a process has ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def sweep(cache, tmp_path):
    """Start sweeps; none outlives its test."""
    started = []

    def start(*overrides, folder=tmp_path / "sweep", **named):
        started.append(Sweep(folder, *overrides, **named))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            os.kill(one.process.pid, signal.SIGKILL)
            one.process.communicate()
