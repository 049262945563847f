"""What a path is that was named as a run and is none, and what would be right in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from gan_framework.errors import ConfigError
from gan_framework.storage import foreign
from gan_framework.storage.layout import RunFolder, is_run
from gan_framework.storage.text import visible

OF_A_SWEEP = ("multirun.yaml", "runs.json")
"""What lies in the folder of a sweep beside its runs' folders."""

MOST = 1 << 20
"""So many bytes of a summary are read."""

FOLDERS = 1_000
"""So many folders are looked into for runs."""


def owner(path: Path) -> Path | None:
    """Return the folder of the run that a path lies in; None if it lies in none."""
    for folder in dict.fromkeys((*path.parents, *path.absolute().parents)):
        if _is_run(folder):
            return folder
    return None


def runs_below(folder: Path) -> Iterator[Path]:
    """Yield the folders of runs below a folder, as far as they are found soon."""
    for place in islice(foreign.walk(folder), FOLDERS):
        if is_run(place.names):
            yield place.path


def said(path: Path) -> str:
    """Return why an existing path is neither a run with checkpoints nor a checkpoint, and what to name instead."""
    name, run = _shown(path), owner(path)
    if _is_run(path):
        return f"{name} holds no intact checkpoint in its folder `checkpoints`{_why(path)}"
    if run is not None:
        what = "a folder" if path.is_dir() else "a file"
        return f"{name} is {what} of a run: name the run's folder, {_shown(run)}"
    if path.name in OF_A_SWEEP and any(runs_below(path.parent)):
        return (
            f"{name} is a file of a sweep: name one of the runs that `gan-framework runs {_shown(path.parent)}` lists"
        )
    if not path.is_dir():
        return f"{name} is neither the folder of a run nor a checkpoint"
    first = next(runs_below(path), None)
    if first is not None:
        return (
            f"{name} is not a run but contains runs: name one of those that `gan-framework runs {name}` lists, for "
            f"example {_shown(first)}"
        )
    return f"{name} is not a run: it has neither a config.yaml nor a folder `checkpoints`"


def _why(run: Path) -> str:
    """Return the error that ended a run, as the end of a sentence; empty if none is known."""
    try:
        summary = json.loads(foreign.read_text(RunFolder(run).summary, run, MOST))
    except (OSError, ValueError, ConfigError):  # without a summary that can be read there is nothing to add
        return ""
    error = summary.get("error") if isinstance(summary, dict) else None
    return f"; the run failed: {visible(error)}" if isinstance(error, str) else ""


def _shown(path: Path) -> str:
    return visible(str(path))


def _is_run(folder: Path) -> bool:
    try:
        return is_run(entry.name for entry in folder.iterdir())
    except OSError:
        return False
