"""Shows in what two runs differ, side by side."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gan_framework.cli.runs import score
from gan_framework.compare import overview
from gan_framework.compare.overview import Overview
from gan_framework.errors import ConfigError
from gan_framework.evaluation.protocol import differences
from gan_framework.storage import no_run, numbers
from gan_framework.storage.layout import RunFolder, run_folder
from gan_framework.storage.text import brief, visible

PIPED = 160
"""Columns of what is no terminal, unless COLUMNS says otherwise."""
VALUE = 200
"""Characters of a value."""
NONE = "-"
"""Stands for a setting that a run does not have."""


def diff(one: Path, other: Path) -> None:
    """Print how two runs stand, their scores, and the settings in which they differ.

    Args:
        one: a run's folder, or a checkpoint of it.
        other: another run's.

    Raises:
        ConfigError: one of them is no run, or is damaged.
    """
    runs = [_look(one), _look(other)]
    settings = [run.settings() for run in runs]
    rows = [
        ("status", *(run.status for run in runs)),
        *([("error", *(run.why or NONE for run in runs))] if any(run.why for run in runs) else []),
        ("step", *(f"{NONE if run.step is None else run.step} of {run.steps or NONE}" for run in runs)),
        *_scores(runs),
        *_protocols(runs),
    ]
    keys = overview.different(runs)
    different = [(key, *(own.get(key, NONE) for own in settings)) for key in keys]

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(markup=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", *_names(one, other)):
        table.add_column(Text(heading), overflow="fold", min_width=12)
    for row in rows:
        table.add_row(*(Text(brief(cell, VALUE)) for cell in row))
    table.add_section()
    for row in different:
        table.add_row(*(Text(brief(cell, VALUE)) for cell in row))
    console.print(table)
    if not different:
        console.print("their settings are the same")


def _names(one: Path, other: Path) -> list[str]:
    """Return the paths of two runs from the folder that both lie in."""
    common = os.path.commonpath([one.absolute(), other.absolute()])
    names = [os.path.relpath(path.absolute(), common) for path in (one, other)]
    return [visible(str(path) if name == "." else name) for path, name in zip((one, other), names, strict=True)]


def _look(path: Path) -> Overview:
    if not path.exists():
        raise ConfigError(f"there is no run {visible(str(path))}")
    run = overview.look(run_folder(path))
    if not run.config:
        if not run.why and not RunFolder(path).summary.exists():
            raise ConfigError(no_run.said(path))
        reason = run.why or "it has no config.yaml"
        raise ConfigError(f"{visible(str(path))} cannot be read as a run: {brief(reason, VALUE)}")
    return run


def _scores(runs: list[Overview]) -> list[tuple[str, ...]]:
    """Return the best scores, then the last ones, of both runs."""
    rows = [("best", *(score(run, named=True) or NONE for run in runs))]
    names = dict.fromkeys(name for run in runs for name in run.scores)
    return rows + [
        (name, *(numbers.score(run.scores[name]) if name in run.scores else NONE for run in runs)) for name in names
    ]


def _protocols(runs: list[Overview]) -> list[tuple[str, ...]]:
    """Return in what the scores of both runs were measured otherwise."""
    one, other = (run.summary.get("protocol") for run in runs)
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return []
    fields = differences(one, other, "")
    return [(f"protocol: {field}", str(one.get(field, NONE)), str(other.get(field, NONE))) for field in fields]
