"""A run that was killed and resumed ends exactly as one that was not."""

import json
import os
import signal
import time

import pytest
import torch

from gan_framework import checkpoint
from tests.program import Program

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


def lines(folder):
    """Return the metric lines without the wall time, which differs."""
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in record.items() if key != "seconds"} for record in records]


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def start(folder, *overrides):
    return Program([*SMALL, f"hydra.run.dir={folder}", *overrides], merged=True)


def wait_for_step(process, folder, step, timeout=90):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        path = folder / "metrics.jsonl"
        if path.exists() and path.read_text().count("\n") >= step:
            return
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)
    raise AssertionError(f"step {step} was not reached in {timeout} s")


def finish(folder, *overrides):
    process = start(folder, *overrides)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, cache):
    folder = tmp_path_factory.mktemp("uninterrupted")
    code, output = finish(folder, "train.steps=60")
    assert code == 0, output
    return folder


def same_end(one, two):
    a, b = (checkpoint.load(folder / "checkpoints" / "last.pt") for folder in (one, two))
    assert equal(a["game"], b["game"])
    assert a["batches"] == b["batches"]
    assert a["best"] == b["best"]
    assert lines(one) == lines(two)


def test_killed_and_resumed_equals_uninterrupted(uninterrupted, tmp_path):
    process = start(tmp_path, "train.steps=60")
    wait_for_step(process, tmp_path, 10)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(lines(tmp_path)) < 60
    code, output = finish(tmp_path, "train.steps=60")
    assert code == 0, output
    assert "resumed from" in output
    same_end(uninterrupted, tmp_path)


def test_a_signal_saves_says_so_and_the_same_command_resumes(uninterrupted, tmp_path):
    process = start(tmp_path, "train.steps=60")
    wait_for_step(process, tmp_path, 5)
    before = time.monotonic()
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 3, output
    assert time.monotonic() - before < 10
    assert output.strip().splitlines()[-1].startswith("stopped: stopped by SIGTERM at step")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["status"] == "stopped"
    assert 5 <= summary["step"] < 60
    code, output = finish(tmp_path, "train.steps=60")
    assert code == 0, output
    same_end(uninterrupted, tmp_path)


def test_evaluating_changes_nothing_in_training(uninterrupted, tmp_path):
    code, output = finish(tmp_path, "train.steps=60", "evaluate.every=0", "train.sample_every=0")
    assert code == 0, output
    a, b = (checkpoint.load(folder / "checkpoints" / "last.pt") for folder in (uninterrupted, tmp_path))
    assert equal(a["game"], b["game"])


def test_a_finished_run_is_not_trained_again(uninterrupted):
    before = (uninterrupted / "metrics.jsonl").read_text()
    code, output = finish(uninterrupted, "train.steps=60")
    assert code == 0, output
    assert (uninterrupted / "metrics.jsonl").read_text() == before
    assert json.loads((uninterrupted / "summary.json").read_text())["status"] == "finished"


def test_a_second_process_on_one_folder_is_refused_with_the_first_ones_pid(tmp_path, cache):
    first = start(tmp_path, "train.steps=100000")
    try:
        wait_for_step(first, tmp_path, 1)
        code, output = finish(tmp_path, "train.steps=100000")
        assert code == 2
        assert f"in use by pid {first.pid} on {os.uname().nodename}" in output
    finally:
        first.kill()
        first.communicate()
