"""Runs of what W&B keeps of them, on disk or on its server: checked as run folders are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from gan_framework.compare.figures import Figure, Gathering
from gan_framework.compare.records import Grid, Record
from gan_framework.compare.schema import check_config, check_summary
from gan_framework.runs.columns import LISTS, RESOLVED, configuration, line, unshadowed
from gan_framework.storage.foreign import Damaged
from gan_framework.storage.plain import BITS, require_plain, shown
from gan_framework.storage.text import few

ROW = 500
"""Bytes that a row is taken for."""


class Rows:
    """The figures and sample grids of W&B's history, row by row.

    Attributes:
        first: the step of the first row; None before it.
        last: the greatest step.
    """

    def __init__(self) -> None:
        self.first: int | None = None
        self.last = -1
        self._gathering = Gathering("history")
        self._number = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Take up a row.

        Raises:
            Damaged: it has no step, or one of its values is none.
        """
        self._number += 1
        found = line({name: value for name, value in row.items() if not _no_figure(value)})
        self._gathering.add(row.get("images_seen", 0), found["metrics"], self._number, ROW)
        step = step_of(row)
        self.first = step if self.first is None else self.first
        self.last = max(self.last, step)

    def figures(self) -> dict[str, Figure]:
        """Return the figures by name; no more rows are taken up."""
        return self._gathering.figures()


def row_of(found: Any) -> dict[str, Any]:
    """Return a row as it was read.

    Raises:
        Damaged: it is none.
    """
    if not isinstance(found, dict):
        raise Damaged(f"history: a row is {shown(found)} and not a mapping")
    return found


def step_of(row: Mapping[str, Any]) -> int:
    """Return the step of a row.

    Raises:
        Damaged: it has none.
    """
    step = row.get("_step")
    if type(step) is not int:
        raise Damaged(f"history: _step is {shown(step)} and not a whole number")
    return step


def inside(path: Any) -> bool:
    """Return whether the path of a picture, as W&B has it, stays in the run's folder of files."""
    return isinstance(path, str) and not PurePath(path).is_absolute() and ".." not in PurePath(path).parts


def record(
    place: str,
    run_id: Any,
    columns: Any,
    summary: dict[str, Any],
    figures: dict[str, Figure],
    grids: list[Grid],
    passed_over: list[str],
) -> Record:
    """Return the run of what W&B has of it.

    Args:
        place: where it was read from.
        run_id: its id.
        columns: its configuration as W&B has it.
        summary: what `summary.json` holds but for the metrics: those are the last ones.
        figures: its figures by name.
        grids: its sample grids.
        passed_over: what was not read, and why.

    Raises:
        Damaged: the id, the configuration or the summary is not as it should be.
    """
    if not isinstance(run_id, str) or not run_id:
        raise Damaged(f"run: run_id is {shown(run_id)} and not text")
    config = _configuration(require_plain(columns, "config"))
    check_config(config, "config")
    require_plain(summary, "summary")
    summary = summary | {"metrics": {name: figure.last for name, figure in figures.items()}}
    check_summary(summary, "summary")
    resolved = columns.get(RESOLVED)
    shadowed = frozenset(map(str, resolved)) if isinstance(resolved, Mapping) else frozenset()
    return Record(place, summary, config, run_id, figures, grids, few(passed_over), shadowed)


def _configuration(columns: dict[str, Any]) -> dict[str, Any]:
    for name in columns:
        if not isinstance(name, str):
            raise Damaged(f"config: {shown(name)} is no name of a setting")
    columns = unshadowed(columns)
    for group, column in LISTS.items():
        plugins, names = columns.get(group), columns.get(column)
        if not plugins or column not in columns:
            continue
        if not isinstance(plugins, Mapping) or not isinstance(names, str) or not set(names.split()) <= set(plugins):
            raise Damaged(f"config: {column} is {shown(names)} and does not name plugins of {group}")
    return configuration(columns)


def _no_figure(value: Any) -> bool:
    """Return whether a value is one that Python takes for a number and W&B's charts do not."""
    return isinstance(value, bool) or (isinstance(value, int) and value.bit_length() > BITS)
