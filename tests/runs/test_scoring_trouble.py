"""What a run does when its samples cannot be scored, or are all the same."""

import json

import pytest
import torch

from gan_framework.config.compose import compose
from gan_framework.core.game import Game
from gan_framework.runs.launch import launch

SMALL = [
    "model=mlp",
    "debug=smoke",
    "extractor=raw",
    "metrics=[fid]",
    "tracker=[]",
    "train.steps=6",
    "train.log_every=1",
    "evaluate.every=2",
]


@pytest.fixture
def drawn(monkeypatch):
    """Have games make samples of one value at given evaluations, in turn; None leaves them as they are."""
    values = []

    def replace(game, latent):
        made = sample(game, latent)
        value = values[0] if values else None
        return made if value is None or len(made) == 4 else torch.full_like(made, value)

    sample = Game.sample
    monkeypatch.setattr(Game, "sample", replace)
    return values


def launched(folder, drawn, *values):
    """Launch a run that is scored three times, and return its summary and its lines."""
    from gan_framework.evaluation.evaluator import Evaluator

    original, left = Evaluator.__call__, list(values)

    def scored(self, game):
        drawn[:] = [left.pop(0)]
        try:
            return original(self, game)
        finally:
            drawn.clear()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evaluator, "__call__", scored)
        best = launch(compose(SMALL), folder, [])
    lines = [json.loads(line)["metrics"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return json.loads((folder / "summary.json").read_text()), lines, best


def test_a_step_whose_samples_are_not_finite_has_no_scores_and_the_run_goes_on(tmp_path, cache, drawn):
    summary, lines, best = launched(tmp_path, drawn, None, float("nan"), None)
    assert summary["status"] == "finished"
    assert ["eval/fid_raw" in line for line in lines] == [False, True, False, False, False, True]
    (trouble,) = [warning for warning in summary["warnings"] if "no_scores" in warning]
    assert trouble.startswith("step 4: no_scores: the generated samples cannot be scored")
    assert best == min(lines[1]["eval/fid_raw"], lines[5]["eval/fid_raw"])


def test_scores_of_an_earlier_step_are_not_those_of_a_run_that_ends_without(tmp_path, cache, drawn):
    summary, lines, best = launched(tmp_path, drawn, None, None, float("nan"))
    assert summary["status"] == "finished" and summary["step"] == 6
    assert "eval/fid_raw" not in summary["metrics"]
    assert summary["best"]["step"] in (2, 4) and best == summary["best"]["value"]


def test_what_makes_scores_less_than_they_seem_stands_once_in_the_summary(tmp_path, cache, drawn):
    summary, _, _ = launched(tmp_path, drawn, 0.0, 0.0, 0.0)
    said = [warning for warning in summary["warnings"] if "their scores mean little" in warning]
    assert len(said) == 1 and said[0].startswith("step 2: scores: ")


def test_a_constant_is_scored(tmp_path, cache, drawn, caplog):
    summary, lines, _ = launched(tmp_path, drawn, 0.0, 0.0, 0.0)
    assert summary["metrics"]["eval/fid_raw"] > 0
    assert "their scores mean little" in caplog.text
