"""The contracts of optimizers and trackers."""

from __future__ import annotations

import copy
import math
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS
from gan_framework.runs.tracker import RunInfo, Tracker
from gan_framework.storage import pictures
from gan_framework.testing.guards import expect, expect_finite, own_randomness, same
from gan_framework.testing.subject import Subject

# -- optimizers -------------------------------------------------------------------------------------


def _pair(subject: Subject, start: float = 3.0) -> tuple[nn.Parameter, torch.optim.Optimizer]:
    parameter = nn.Parameter(torch.full((4,), start))
    settings = {key: value for key, value in subject.own.items() if key not in KINDS["optimizers"].reserved}
    return parameter, registry.build("optimizers", settings, [parameter])


def _descend(parameter: nn.Parameter, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        parameter.square().sum().backward()
        optimizer.step()


def descends(subject: Subject) -> None:
    """It lowers a parabola."""
    parameter, optimizer = _pair(subject)
    expect(
        isinstance(optimizer, torch.optim.Optimizer),
        f"it returns {type(optimizer).__name__}, not torch.optim.Optimizer",
    )
    with own_randomness("a step", torch_too=True):
        _descend(parameter, optimizer, 20)
    expect_finite("after twenty steps down a parabola the parameter", parameter)
    expect(bool((parameter.abs() < 3.0).all()), "twenty steps down a parabola have not led down")


def resumes(subject: Subject) -> None:
    """Its state survives saving and loading."""
    first, optimizer = _pair(subject)
    _descend(first, optimizer, 3)
    second, resumed = _pair(subject)
    second.data.copy_(first.data)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    _descend(first, optimizer, 1)
    _descend(second, resumed, 1)
    expect(torch.equal(first, second), "loaded from its state_dict it steps another way: keep its memory in `state`")


# -- trackers ---------------------------------------------------------------------------------------


def follows_a_run(subject: Subject) -> None:
    """It goes through a whole run, and a resumed one, without changing what it is told."""
    config: dict[str, Any] = copy.deepcopy(subject.config)
    record = {
        "step": 1,
        "images_seen": 8,
        "updates": {"generator": 1},
        "seconds": 0.5,
        "metrics": {"train/generator/adversarial": 0.7, "eval/fid": math.nan},
    }
    told = copy.deepcopy((config, record))
    summary = record | {"status": "finished", "error": None, "best": None, "protocol": None}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = folder / "samples.png"
        pictures.write(picture, pictures.draw(torch.zeros(2, 1, 8, 8), columns=2))
        for resumed in (False, True):
            tracker: Tracker = subject.build()
            with own_randomness("following a run", torch_too=True):
                tracker.start(RunInfo(folder=folder, config=config, resumed=resumed))
                tracker.log(record)
                tracker.image("samples", picture, record)
                tracker.warn("diversity_collapsed: the samples are alike", record)
                tracker.finish(summary)
        expect(same(told, (config, record)), "it changes the configuration or the record it is given: work on copies")
        expect(picture.is_file(), "it takes away the run's own picture")
        tracker = subject.build()
        tracker.start(RunInfo(folder=folder, config=config))
        tracker.abandon()


OPTIMIZERS = [descends, resumes]
TRACKERS = [follows_a_run]
