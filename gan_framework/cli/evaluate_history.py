"""Scores all checkpoints of a run: how the scores went while it trained."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gan_framework.cli.evaluate import asked_device, content, details_of, evaluator_for, of_other_data
from gan_framework.cli.shown import shown
from gan_framework.data import identity
from gan_framework.data.sources import training_data
from gan_framework.errors import ConfigError, NonFinite
from gan_framework.evaluation.evaluator import Evaluation, Evaluator
from gan_framework.registry.listing import better
from gan_framework.runs import checkpoint
from gan_framework.runs.device import choose_device
from gan_framework.runs.restore import load
from gan_framework.storage import files
from gan_framework.storage.layout import RunFolder
from gan_framework.storage.numbers import score
from gan_framework.storage.secrets import mask

log = logging.getLogger(__name__)

FILE = "evaluation_history.jsonl"
"""The file in the run's folder, a JSON object for each checkpoint."""


class Scored(NamedTuple):
    """A checkpoint and what it scores.

    Attributes:
        step: of training.
        evaluation: its scores; None where its samples are not finite.
    """

    step: int
    evaluation: Evaluation | None


def history(run: Path, overrides: list[str], out: Path | None = None) -> tuple[list[Scored], Path]:
    """Score every checkpoint of a run in the same way, oldest first, and write a line for each.

    The configuration of the newest one is that of all. What can be read by no means is named in the log and left out.

    Args:
        run: the run's folder.
        overrides: as of `gan_framework.cli.evaluate.evaluate`.
        out: the file to write; by default `evaluation_history.jsonl` in the run's folder. It is whole after each
            checkpoint, so that what a stop breaks off is kept.

    Returns:
        The scores, and the file they were written to.

    Raises:
        ConfigError: there is no checkpoint, or an override is wrong.
        RunFailed: weights cannot be downloaded.
    """
    folder = RunFolder(run)
    paths = checkpoint.numbered(folder.checkpoints) if folder.checkpoints.is_dir() else []
    if not paths:
        raise ConfigError(f"--checkpoints all: {run} has no folder `checkpoints` with step_*.pt in it")
    out = out or run / FILE
    files.require_writable(out)
    found, lines = [], []
    for scored, line in _score(run, paths, overrides):
        found.append(scored)
        lines.append(line)
        files.write_text(out, "".join(f"{line}\n" for line in lines))
    return found, out


def _score(run: Path, newest_first: list[Path], overrides: list[str]) -> Iterator[tuple[Scored, str]]:
    device = choose_device(asked_device(overrides))
    evaluator: Evaluator | None = None
    now: dict[str, Any] = {}
    for path in [newest_first[0], *reversed(newest_first)]:
        try:
            game, state = load(path, device)
        except ConfigError as error:
            if evaluator is None and path == newest_first[0]:
                raise
            log.warning("left out: %s", error)
            continue
        if evaluator is None:
            evaluator, source, config = evaluator_for(run, game, state, overrides, device)
            now = identity(training_data(source, config["data"]))
            continue
        step = int(state["clock"]["step"])
        details: dict[str, Any] = {"step": step, **details_of(game)}
        try:
            evaluation = evaluator(game)
        except NonFinite as problem:
            log.warning("%s: %s", path.name, problem)
            line = {"evaluated": str(path.absolute()), **details, "scores": {}, "warnings": [str(problem)]}
            yield Scored(step, None), _line(line)
            continue
        evaluation.warnings.extend(of_other_data(state, now))
        yield Scored(step, evaluation), _line(content(path, evaluation, details, overrides))


def _line(found: dict[str, Any]) -> str:
    return json.dumps(files.finite(mask(found)))


def best_steps(found: list[Scored]) -> dict[str, int]:
    """Return for each score that ranks the step at which it is best; a score that is not finite never is."""
    best: dict[str, tuple[float, int]] = {}
    for step, evaluation in found:
        if evaluation is None:
            continue
        for name, higher in evaluation.higher_is_better.items():
            value = evaluation.scores.get(name, math.nan) * (1 if higher else -1)
            if math.isfinite(value) and (name not in best or value > best[name][0]):
                best[name] = value, step
    return {name: step for name, (_, step) in best.items()}


def show(found: list[Scored], out: Path) -> None:
    """Print one table: a row for each checkpoint, a column for each score, and where each is best."""
    from rich.console import Console
    from rich.table import Table

    scored = [evaluation for _, evaluation in found if evaluation is not None]
    names = list(dict.fromkeys(name for evaluation in scored for name in evaluation.scores))
    higher = {name: up for evaluation in scored for name, up in evaluation.higher_is_better.items()}
    best = best_steps(found)
    table = Table("step", *(f"{shown(name)} {better(higher.get(name))}".rstrip() for name in names))
    for step, evaluation in found:
        values = evaluation.scores if evaluation is not None else {}
        row = [score(values[name]) + " *" * (best.get(name) == step) if name in values else "" for name in names]
        table.add_row(str(step), *row)
    console = Console(markup=False, emoji=False)
    console.print(table)
    if best:
        console.print("* the best of its column", style="dim", highlight=False)
    for warning in dict.fromkeys(warning for evaluation in scored for warning in evaluation.warnings):
        console.print(f"warning: {shown(warning)}", style="yellow", highlight=False)
    for step in (step for step, evaluation in found if evaluation is None):
        console.print(f"warning: step {step}: its samples are not finite", style="yellow", highlight=False)
    console.print(shown(str(out)), highlight=False, soft_wrap=True)
