"""The best score so far, and the checkpoint that reached it."""

import json
import math
from types import SimpleNamespace

import pytest

from gan_framework.config.compose import compose as composed
from gan_framework.errors import NonFinite
from gan_framework.library.model import about
from gan_framework.runs import checkpoint, trainer
from gan_framework.runs.best import Best
from gan_framework.runs.launch import launch
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


def test_the_file_of_the_best_score_holds_this_score_and_the_figures_of_its_step(run):
    """What is loaded or exported of it says what it scores."""
    run.best = Best({"fid": False}, "fid")
    run.metrics = {"train/lr/generator": 1.0, "eval/fid": 9.0}
    run.counters.step += 1
    evaluation = SimpleNamespace(
        scores={"fid": 8.0}, warnings=(), pictures={}, protocol={}, baselines={}, higher_is_better={}
    )
    run.evaluator = lambda game: evaluation
    trainer._evaluate(run, {"train/lr/generator": 0.5}, StopRequest())
    assert checkpoint.load(run.folder.best)["metrics"] == {"train/lr/generator": 0.5, "eval/fid": 8.0}


def test_a_checkpoint_has_the_scores_of_its_own_step_alone(run):
    """What was measured at step 1 is not what the model of step 2 scores."""
    run.best = Best({"fid": False}, "fid")
    scored(run, fid=8.0)
    run.metrics = {"eval/fid": 8.0}
    assert about(run.state())["scores"] == {"fid": 8.0}
    run.counters.step += 1
    run.save()
    state = checkpoint.load(run.folder.last)
    assert about(state)["scores"] == {}
    run.restore(state, run.folder.last)
    assert about(run.state())["scores"] == {}


def test_the_best_of_an_earlier_step_is_none_where_the_file_is_of_a_later_one(run):
    """A run that goes on from step 1 does not take what it reached at step 2 for the best of step 1."""
    run.best = Best({"fid": False, "is": True}, "fid")
    scored(run, fid=8.0)
    run.save()
    early = checkpoint.load(run.folder.last)
    run.restore(early, run.folder.last)
    assert run.best.found["step"] == 1
    scored(run, fid=3.0)
    run.restore(early, run.folder.last)
    assert run.best.found == {}
    scored(run, fid=8.5)
    assert run.best.found == checkpoint.load(run.folder.best)["best"]
    run.folder.best.write_bytes(b"damaged")
    run.restore(early, run.folder.last)
    assert run.best.found == {}


def test_a_pruner_is_asked_where_the_samples_have_no_score(run):
    run.best = Best({"fid": False}, "fid")
    scored(run, fid=8.0)
    run.metrics = {"eval/fid": 8.0}

    def fails(game):
        raise NonFinite("provoked")

    run.evaluator, asked = fails, []
    run.pruner = lambda step, score: asked.append((step, score)) or False
    run.counters.step += 1
    trainer._evaluate(run, {}, StopRequest())
    assert trainer._should_prune(run) is False
    assert asked[0][0] == 2 and math.isnan(asked[0][1])


@pytest.mark.slow
def test_nothing_is_left_of_steps_that_are_not_gone_on_from(tmp_path, cache):
    """Neither the best checkpoint of another history nor pictures of later steps are taken for the run's."""
    small = [
        "model=mlp", "debug=smoke", "data.image_size=8", "extractor=raw", "metrics=[fid]", "tracker=[]",
        "train.steps=4", "evaluate.every=2", "train.checkpoint_every=2", "train.sample_every=2", "train.keep=5",
    ]  # fmt: skip
    launch(composed(small), tmp_path, [])
    best, pictures = tmp_path / "checkpoints" / "best.pt", tmp_path / "samples"
    assert sorted(path.name for path in pictures.glob("step_*")) == ["step_0000002.png", "step_0000004.png"]
    state = checkpoint.load(best) | {"best": {"metric": "fid_raw", "step": 4, "value": 0.0, "higher_is_better": False}}
    checkpoint.save(best, state)
    resumed = f"train.resume={tmp_path / 'checkpoints' / 'step_0000002.pt'}"
    launch(composed([*small, resumed, "optimizer.generator.lr=0.1", "train.steps=3"]), tmp_path, [])
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert checkpoint.load(best)["best"] == summary["best"] and checkpoint.load(best)["clock"]["step"] == 3
    assert sorted(path.name for path in pictures.glob("step_*")) == ["step_0000002.png", "step_0000003.png"]
    launch(composed([*small, "train.resume=null", "train.steps=1", "metrics=[]"]), tmp_path, [])
    assert sorted(path.name for path in pictures.glob("step_*")) == ["step_0000001.png"]
    assert not best.exists()
