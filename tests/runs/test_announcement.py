"""What a run says of itself."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from gan_framework.runs.announcement import conclude


def finished(generates_from):
    return SimpleNamespace(
        metrics={"eval/fid_classifier": 9.0},
        best=SimpleNamespace(found=None),
        counters=SimpleNamespace(steps=20, step=20, seconds=2.0),
        folder=SimpleNamespace(path=Path("outputs/x")),
        game=SimpleNamespace(generates_from=generates_from),
    )


@pytest.mark.parametrize(("generates_from", "sample"), [(None, "outputs/x"), ("a", "outputs/x --from test")])
def test_what_could_be_typed_next_works_for_games_of_inputs_too(caplog, generates_from, sample):
    with caplog.at_level(logging.INFO):
        conclude(finished(generates_from))
    assert caplog.messages[-1] == (
        f"run folder: outputs/x; next: gan-framework sample {sample}, gan-framework evaluate outputs/x"
    )
