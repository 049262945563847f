"""A run that was killed and resumed ends exactly as one that was not."""

import json
import os
import signal
import time

import pytest

from gan_framework.runs import checkpoint
from tests.helpers.resuming import count, difference, differing, finish, lines, start, wait

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
    assert output.strip().splitlines()[-1].startswith("stopped: SIGTERM at step")
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


def test_scores_that_are_measured_anew_are_not_compared_with_earlier_ones(tmp_path, cache):
    scored = ["model=mlp", "train.batch_size=16", "extractor=raw", "evaluate.every=2", "tracker=[]"]
    code, output = finish(tmp_path, *scored, "train.steps=2", "metrics=[fid]", "evaluate.samples=64")
    assert code == 0, output
    kid = ["metrics=[kid]", "metrics.kid.subset_size=32", "evaluate.samples=64"]
    code, output = finish(tmp_path, *scored, "train.steps=4", *kid)
    assert code == 0, output
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["best"]["metric"], summary["best"]["step"]) == ("kid_raw", 4)
    assert "eval/fid_raw" not in summary["metrics"]
    code, output = finish(tmp_path, *scored, "train.steps=6", "metrics=[fid]", "evaluate.samples=100")
    assert code == 0, output
    assert "the evaluation protocol has changed (samples)" in output
    assert json.loads((tmp_path / "summary.json").read_text())["best"]["step"] == 6


def test_a_run_that_begins_anew_leaves_nothing_of_the_earlier_one(tmp_path, cache):
    code, output = finish(tmp_path, *SMALL, "train.steps=9")
    assert code == 0, output
    code, output = finish(tmp_path, *SMALL, "train.steps=6", "train.resume=null", "seed=7", "evaluate.every=0")
    assert code == 0, output
    left = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert left == ["best.pt", "last.pt", "step_0000003.pt", "step_0000006.pt"]
    assert {checkpoint.load(tmp_path / "checkpoints" / name)["config"]["seed"] for name in left} == {7}


def test_images_are_counted_as_they_were_seen(tmp_path, cache):
    code, output = finish(tmp_path, *SMALL, "train.steps=4")
    assert code == 0, output
    code, output = finish(tmp_path, *SMALL, "train.steps=6", "train.batch_size=32")
    assert code == 2 and "train.batch_size: 16 → 32" in output
    code, output = finish(tmp_path, *SMALL, "train.steps=6", "train.batch_size=32", "train.resume_changed=true")
    assert code == 0 and "resumed with other settings: train.batch_size: 16 → 32; train.steps: 4 → 6" in output, output
    # Two batches a step, one for each of the discriminator's updates.
    assert [line["images_seen"] for line in lines(tmp_path)] == [32, 64, 96, 128, 192, 256]


def test_a_request_that_does_not_fit_leaves_the_configuration_alone(tmp_path, cache):
    assert finish(tmp_path, *SMALL, "train.steps=2")[0] == 0
    before = (tmp_path / "config.yaml").read_text()
    code, output = finish(tmp_path, *SMALL, "train.steps=4", "networks.generator.hidden=[7]")
    assert code == 2 and "networks.generator.hidden: [" in output, output
    assert (tmp_path / "config.yaml").read_text() == before


def test_a_changed_learning_rate_is_that_of_the_resumed_run(tmp_path, cache):
    for steps, lr in ((2, 1e-3), (4, 1e-5)):
        code, output = finish(tmp_path, *SMALL, f"train.steps={steps}", f"optimizer.generator.lr={lr}")
        assert code == 0, output
    state = checkpoint.load(tmp_path / "checkpoints" / "last.pt")["game"]
    (optimizer,) = [value["optimizer"] for key, value in state.items() if key == "players.generator._extra_state"]
    assert optimizer["param_groups"][0]["lr"] == 1e-5
    code, output = finish(tmp_path, *SMALL, "train.steps=6", "optimizer=sgd")
    assert code == 2, output
    assert "was updated by Adam, and optimizer." in output


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
