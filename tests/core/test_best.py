"""The best score so far, and the checkpoint that reached it."""

from types import SimpleNamespace

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.data import Batches, build_source
from gan_framework.errors import NonFinite
from gan_framework.runs import checkpoint
from gan_framework.runs.progress import Progress
from gan_framework.runs.run import Run
from gan_framework.runs.tracker import RunInfo
from gan_framework.runs.tracking import build_trackers


@pytest.fixture
def run(compose, tmp_path):
    config = compose("model=mlp", "debug=smoke", "data.image_size=8", "train.on_nonfinite=rollback", "metrics=[]")
    source = build_source(config["data"])
    game = build_game(config, source.shape, torch.device("cpu"))
    trackers = build_trackers({})
    trackers.start(RunInfo(tmp_path, config))
    batches = Batches(source.load("train"), config["train"]["batch_size"], 0, "cpu")
    run = Run(config, tmp_path, game, batches, None, trackers, Progress(9))
    run.evaluator = SimpleNamespace(higher_is_better={"fid": False, "is": True})
    return run


def scored(run, **scores):
    run.clock.step += 1
    run._keep_best(scores)


@pytest.mark.parametrize(("score", "values"), [("fid", [5.0, 5.0, 6.0]), ("is", [5.0, 5.0, 4.0])])
def test_the_first_of_equal_scores_is_the_best(run, score, values):
    run.config["evaluate"]["best"] = score
    for value in values:
        scored(run, **{score: value})
    assert (run.best["step"], run.best["value"]) == (1, 5.0)


def test_after_a_rollback_the_best_is_still_what_the_file_holds(run):
    run.config["evaluate"]["best"] = "fid"
    scored(run, fid=8.0)
    run.save()
    scored(run, fid=3.0)
    run.roll_back(NonFinite("provoked"))
    assert run.clock.step == 1
    assert (run.best["step"], run.best["value"]) == (2, 3.0)
    assert checkpoint.load(run.folder / "checkpoints" / "best.pt")["best"] == run.best
