"""The best score so far, and the checkpoint that reached it."""

from types import SimpleNamespace

import pytest

from gan_framework.errors import NonFinite
from gan_framework.runs import checkpoint, trainer
from gan_framework.runs.best import Best
from gan_framework.runs.signals import StopRequest
from tests.helpers.runs import make_run


@pytest.fixture
def run(compose, tmp_path):
    config = compose("model=mlp", "debug=smoke", "data.image_size=8", "train.on_nonfinite=rollback", "metrics=[]")
    return make_run(config, tmp_path)


def test_a_score_that_was_the_best_by_metrics_of_before_keeps_its_direction(run):
    """Such a summary is read: its best score must be one of those that it ranks."""
    run.best.found = {"metric": "fid_classifier", "step": 2, "value": 9.0, "higher_is_better": False}
    assert run.report()["higher_is_better"] == {"fid_classifier": False}


def scored(run, **scores):
    """Let a run reach the next step and be given scores there."""
    run.counters.step += 1
    evaluation = SimpleNamespace(
        scores=scores, warnings=(), pictures={}, protocol={}, baselines={}, higher_is_better={}
    )
    run.evaluator = lambda game: evaluation
    trainer._evaluate(run, {}, StopRequest())


@pytest.mark.parametrize(("score", "values"), [("fid", [5.0, 5.0, 6.0]), ("is", [5.0, 5.0, 4.0])])
def test_the_first_of_equal_scores_is_the_best(run, score, values):
    run.best = Best({"fid": False, "is": True}, score)
    for value in values:
        scored(run, **{score: value})
    assert (run.best.found["step"], run.best.found["value"]) == (1, 5.0)


def test_after_a_rollback_the_best_is_still_what_the_file_holds(run):
    run.best = Best({"fid": False, "is": True}, "fid")
    scored(run, fid=8.0)
    run.save()
    scored(run, fid=3.0)
    run.roll_back(NonFinite("provoked"))
    assert run.counters.step == 1
    assert (run.best.found["step"], run.best.found["value"]) == (2, 3.0)
    assert checkpoint.load(run.folder.best)["best"] == run.best.found
