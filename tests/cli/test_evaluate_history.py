"""All checkpoints of a run, scored in one way."""

import json
import math
import os
from types import SimpleNamespace

import pytest
import torch
from typer.testing import CliRunner

from gan_framework.build import build_game
from gan_framework.cli.commands import app
from gan_framework.cli.evaluate import evaluate
from gan_framework.cli.evaluate_history import Scored, best_steps, history
from gan_framework.data import build_source
from gan_framework.errors import ConfigError, NonFinite
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.runs import checkpoint

SMALL = ["data.image_size=16", "extractor=raw", "metrics=[fid]", "evaluate.samples=40", "evaluate.baselines=false"]


def save(folder, config, step, bias):
    """Save an untrained model whose generator's last biases are `bias`, as the checkpoint of a step."""
    shape = build_source(config["data"]).shape
    game = build_game(config, shape, torch.device("cpu"))
    with torch.no_grad():
        [*game.generator.parameters()][-1].fill_(bias)
    state = {"config": config, "shape": shape.plain(), "game": game.state_dict(), "clock": {"step": step}}
    checkpoint.save(folder / "checkpoints" / f"step_{step:07d}.pt", state | {"batches": 0})


@pytest.fixture
def config(compose, cache):
    return compose("debug=smoke", "model=mlp", *SMALL)


@pytest.fixture
def run(config, tmp_path):
    """A run of three checkpoints, the second damaged."""
    for step, bias in ((5, 0.5), (10, 0.0), (20, -0.5)):
        save(tmp_path / "run", config, step, bias)
    (tmp_path / "run" / "checkpoints" / "step_0000010.pt").write_bytes(b"damaged")
    return tmp_path / "run"


def test_each_checkpoint_is_scored_as_alone_oldest_first(run, tmp_path, caplog):
    found, out = history(run, ["evaluate.samples=30"])
    assert out == run / "evaluation_history.jsonl"
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [one.step for one in found] == [line["step"] for line in lines] == [5, 20]
    for step, line in zip((5, 20), lines, strict=True):
        path = run / "checkpoints" / f"step_{step:07d}.pt"
        alone, _ = evaluate(path, ["evaluate.samples=30"], tmp_path / "alone.json")
        assert line["scores"] == pytest.approx(alone.scores)
        assert line["protocol"] == json.loads(json.dumps(alone.protocol))
        assert line["evaluated"] == str(path)
    assert lines[0]["scores"] != lines[1]["scores"]
    assert "step_0000010.pt" in caplog.text


@pytest.mark.parametrize("work", [evaluate, history])
def test_where_nothing_can_be_written_nothing_is_scored(run, tmp_path, monkeypatch, work):
    def score(*_, **__):
        raise AssertionError("scored in vain")

    access = os.access  # who is root may write into any folder
    monkeypatch.setattr("os.access", lambda path, mode: access(path, mode) and path != run)
    monkeypatch.setattr(Evaluator, "from_config", score)
    with pytest.raises(ConfigError, match=f"cannot be written: {run} may not be written to; --out names another place"):
        work(run, [])
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file is no folder; --out names another place"):
        work(run, [], tmp_path / "file" / "below" / "out.json")
    with pytest.raises(AssertionError, match="in vain"):
        work(run, [], tmp_path / "new" / "out.json")


def test_the_command_prints_one_table_and_marks_the_best(run):
    result = CliRunner().invoke(app, ["evaluate", str(run), "--checkpoints", "all"], catch_exceptions=False)
    assert result.exit_code == 0
    lines = [json.loads(line) for line in (run / "evaluation_history.jsonl").read_text().splitlines()]
    best = min(lines, key=lambda line: line["scores"]["fid_raw"])["step"]
    rows = {row.strip("│ ").split()[0]: row for row in result.output.splitlines() if row.startswith("│")}
    assert {step for step, row in rows.items() if "*" in row} == {str(best)}
    assert rows.keys() == {"5", "20"}


def test_samples_that_are_not_finite_are_a_line_without_scores(run, monkeypatch):
    def scoring(self, game):
        if [*game.generator.parameters()][-1][0] < 0:
            raise NonFinite("some hold NaN or infinite values")
        return scored(self, game)

    scored = Evaluator.__call__
    monkeypatch.setattr(Evaluator, "__call__", scoring)
    result = CliRunner().invoke(app, ["evaluate", str(run), "--checkpoints", "all"], catch_exceptions=False)
    lines = [json.loads(line) for line in (run / "evaluation_history.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [5, 20]
    assert lines[0]["scores"] and lines[1]["scores"] == {}
    assert lines[1]["warnings"] == ["some hold NaN or infinite values"]
    assert "warning: step 20: its samples are not finite" in result.output


def test_a_score_that_is_no_number_is_never_the_best():
    def scored(step, **values):
        return Scored(step, SimpleNamespace(scores=values, higher_is_better={"fid": False, "is": True}))

    found = [
        scored(1, **{"fid": math.nan, "is": math.inf}),
        scored(2, **{"fid": 3.0, "is": 2.0}),
        Scored(3, None),
        scored(4, **{"fid": -math.inf, "is": 2.0}),
        scored(5, fid=2.0),
    ]
    assert best_steps(found) == {"fid": 5, "is": 2}
    assert best_steps(found[:1]) == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{run}", "--checkpoints", "best"], "--checkpoints best: only all is known"),
        (["{run}", "--checkpoints", "all", "--against", "{run}"], "exclude each other"),
        (["{run}/checkpoints", "--checkpoints", "all"], "no folder `checkpoints`"),
    ],
)
def test_wrong_requests(run, arguments, said):
    result = CliRunner().invoke(app, ["evaluate", *(argument.format(run=run) for argument in arguments)])
    assert isinstance(result.exception, ConfigError)
    assert said in str(result.exception)
