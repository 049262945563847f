"""A run that was killed and resumed ends exactly as one that was not."""

import json
import os
import signal
import time

import pytest

from gan_framework import checkpoint
from tests.run.resuming import count, difference, differing, finish, lines, start, wait

SMALL = [
    "model=mlp",
    "strategy=[ema,k_step]",
    "strategy.k_step.k=2",
    "train.batch_size=16",
    "train.log_every=1",
    "train.checkpoint_every=3",
    "train.sample_every=4",
    "evaluate.every=4",
    "evaluate.samples=64",
    "extractor.epochs=1",
    "tracker=[]",
]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, cache):
    folder = tmp_path_factory.mktemp("uninterrupted")
    code, output = finish(folder, *SMALL, "train.steps=60")
    assert code == 0, output
    return folder


def test_killed_and_resumed_equals_uninterrupted(uninterrupted, tmp_path):
    process = start(tmp_path, *SMALL, "train.steps=60")
    wait(process, lambda: count(tmp_path) >= 10)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(lines(tmp_path)) < 60
    code, output = finish(tmp_path, *SMALL, "train.steps=60")
    assert code == 0, output
    assert "resumed from" in output
    assert difference(uninterrupted, tmp_path) == []


def test_a_signal_saves_says_so_and_the_same_command_resumes(uninterrupted, tmp_path):
    process = start(tmp_path, *SMALL, "train.steps=60")
    wait(process, lambda: count(tmp_path) >= 5)
    before = time.monotonic()
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 3, output
    assert time.monotonic() - before < 10
    assert output.strip().splitlines()[-1].startswith("stopped: stopped by SIGTERM at step")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["status"] == "stopped"
    assert 5 <= summary["step"] < 60
    code, output = finish(tmp_path, *SMALL, "train.steps=60")
    assert code == 0, output
    assert difference(uninterrupted, tmp_path) == []


def test_evaluating_changes_nothing_in_training(uninterrupted, tmp_path):
    code, output = finish(tmp_path, *SMALL, "train.steps=60", "evaluate.every=0", "train.sample_every=0")
    assert code == 0, output
    a, b = (checkpoint.load(folder / "checkpoints" / "last.pt") for folder in (uninterrupted, tmp_path))
    assert list(differing(a["game"], b["game"], "")) == []


def test_a_finished_run_is_not_trained_again(uninterrupted):
    before = (uninterrupted / "metrics.jsonl").read_text()
    code, output = finish(uninterrupted, *SMALL, "train.steps=60")
    assert code == 0, output
    assert (uninterrupted / "metrics.jsonl").read_text() == before
    assert json.loads((uninterrupted / "summary.json").read_text())["status"] == "finished"


def test_a_second_process_on_one_folder_is_refused_with_the_first_ones_pid(tmp_path, cache):
    first = start(tmp_path, *SMALL, "train.steps=100000")
    try:
        wait(first, lambda: count(tmp_path) >= 1)
        code, output = finish(tmp_path, *SMALL, "train.steps=100000")
        assert code == 2
        assert f"in use by pid {first.pid} on {os.uname().nodename}" in output
    finally:
        first.kill()
        first.communicate()
