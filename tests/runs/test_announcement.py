"""What a run says of itself."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from gan_framework.core.game import Game
from gan_framework.core.records import DataShape
from gan_framework.runs.announcement import announce, conclude


def finished(generates_from):
    return SimpleNamespace(
        metrics={"eval/fid_classifier": 9.0},
        best=SimpleNamespace(found=None),
        counters=SimpleNamespace(steps=20, step=24, seconds=2.0),  # as of a resumed run whose steps were lowered
        ended_early=None,
        folder=SimpleNamespace(path=Path("outputs/x")),
        game=SimpleNamespace(generates_from=generates_from),
    )


@pytest.mark.parametrize(("generates_from", "sample"), [(None, "outputs/x"), ("a", "outputs/x --from test")])
def test_what_could_be_typed_next_works_for_games_of_inputs_too(caplog, generates_from, sample):
    with caplog.at_level(logging.INFO):
        conclude(finished(generates_from))
    assert caplog.messages[-2].startswith("finished 24 steps in ")
    assert caplog.messages[-1] == (
        f"run folder: outputs/x; next: gan-framework sample {sample}, gan-framework evaluate outputs/x"
    )


class OfImages(Game):
    """A game of another kind, which may use what it likes of a batch."""

    generates_from = "source"


def begun(game, extra):
    game.data = DataShape((3, 8, 8), extra=extra)
    game.networks, game.device = {}, "cpu"
    settings = SimpleNamespace(steps=1, batch_size=1, checkpoint_every=0)
    return SimpleNamespace(
        batches=SimpleNamespace(data=Five(), others={}),
        game=game,
        settings=SimpleNamespace(train=settings, evaluate=None),
        counters=SimpleNamespace(step=0),
        evaluator=None,
    )


def test_a_run_without_steps_left_says_what_could_be_done(caplog, monkeypatch):
    monkeypatch.setattr(Game, "device", "cpu")
    run = begun(object.__new__(Game), {})
    run.counters.step, run.folder = 1, SimpleNamespace(path=Path("outputs/x"))
    with caplog.at_level(logging.INFO):
        announce(run, {"data": {"name": "any"}, "networks": {}})
    assert caplog.messages[-1].startswith(
        "plan: none of train.steps=1 is left; more of them train on, and gan-framework "
    )


class Five:
    notes = ()

    def __len__(self):
        return 5


@pytest.mark.parametrize(
    ("kind", "extra", "warned"),
    [(Game, {"source": (1, 8, 8)}, True), (OfImages, {"source": (1, 8, 8)}, False), (Game, {}, False)],
)
def test_what_is_beside_the_samples_and_not_used_is_said(caplog, monkeypatch, kind, extra, warned):
    monkeypatch.setattr(Game, "device", "cpu")
    with caplog.at_level(logging.INFO):
        announce(begun(object.__new__(kind), extra), {"data": {"name": "paired"}, "networks": {}})
    assert ("each with source 1x8x8" in caplog.messages[0]) == bool(extra)
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(said) == warned and all(
        "nothing is made of source, which each sample of data=paired" in one for one in said
    )
