"""Runs from their folders, which somebody else may have made."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path

from gan_framework.compare.figures import Figure, Gathering
from gan_framework.compare.records import Damaged, Grid, Record
from gan_framework.compare.schema import check_config, check_summary
from gan_framework.compare.skipping import Skipping
from gan_framework.storage import foreign, plain
from gan_framework.storage.layout import RunFolder
from gan_framework.storage.text import few, visible

CONFIG_FILE = "config.yaml"
"""What makes a folder a run's."""
METRICS_BYTES = 2**30
"""The largest metrics.jsonl that is read."""
LINE_BYTES = 2**18
"""Its longest line."""
ID_BYTES = 1024
"""The largest .run_id that is read."""
SHADOWED = Path("wandb", ".shadowed")
"""Where the W&B tracker has it."""
PICTURE = re.compile(r"step_(\d{1,15})\.png", re.ASCII)


def find_runs(folder: Path, problems: list[str] | None = None) -> list[Path]:
    """Return the run folders among a folder and all below it.

    Args:
        folder: where to look; symbolic links to other folders are not followed.
        problems: takes up, a line each, what could not be looked into.
    """
    found = []
    for place in foreign.walk(folder, problems):
        if CONFIG_FILE in place.names and not _not_ours(place.path):
            found.append(place.path)
        if problems is not None:
            problems += [
                f"{visible(str(place.path / name))} is a symbolic link to a run, and none is followed: name its target"
                for name in sorted(place.links)
                if os.path.isfile(place.path / name / CONFIG_FILE)
            ]
    return sorted(found)


def _not_ours(folder: Path) -> bool:
    """Return whether the config.yaml in a folder is Hydra's or W&B's own."""
    return folder.name == ".hydra" or (folder.name == "files" and any(folder.parent.glob("run-*.wandb")))


def read_run(folder: Path) -> Record | Damaged:
    """Read a run's folder: regular files in it alone, and of each only what is as it should be."""
    try:
        return _read(folder)
    except (foreign.Damaged, OSError) as error:
        return Damaged(str(folder), str(error))


def _read(folder: Path) -> Record:
    place = RunFolder(folder)
    config = plain.read_yaml(place.config, folder)
    check_config(config, CONFIG_FILE)
    try:
        summary = plain.read_json(place.summary, folder)
    except FileNotFoundError:
        summary = {}
    check_summary(summary, place.summary.name)
    try:
        run_id = foreign.read_text(place.run_id, folder, ID_BYTES).strip() or None
    except FileNotFoundError:
        run_id = None
    try:
        figures = _figures(folder)
    except FileNotFoundError:
        figures = {}
    grids, passed_over = _grids(folder)
    return Record(str(folder), summary, config, run_id, figures, grids, passed_over, _shadowed(folder))


def _shadowed(folder: Path) -> frozenset[str]:
    """Return the groups of settings that the W&B tracker says a sweep of the server has taken the columns of."""
    try:
        text = foreign.read_text(folder / SHADOWED, folder, ID_BYTES)
    except (foreign.Damaged, OSError):
        return frozenset()  # all but a dashboard's columns can do without
    return frozenset(text.split())


def _figures(folder: Path) -> dict[str, Figure]:
    path = RunFolder(folder).metrics
    gathering, skipping = Gathering(path.name), Skipping()

    def take_up(number: int, line: bytes) -> None:
        found = plain.parse_line(line, number, path.name)
        gathering.add(found.get("images_seen"), found.get("metrics"), number, len(line))

    for number, line in plain.read_lines(path, folder, METRICS_BYTES, LINE_BYTES):
        if not skipping.skips(number, line):
            take_up(number, line)
    for number, line in skipping.last():
        take_up(number, line)
    return gathering.figures()


def _grids(folder: Path) -> tuple[list[Grid], list[str]]:
    """Return the grids of samples, and what looks like one and is none."""
    samples = RunFolder(folder).samples
    if samples.is_symlink():
        return [], [f"{samples.name} is a symbolic link, and none is followed"]
    try:
        names = sorted(name for name in os.listdir(samples) if name.startswith("step_") and name.endswith(".png"))
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    except OSError as error:
        return [], [f"{samples.name} cannot be looked into: {error.strerror}"]
    steps = {name: found for name in names if (found := PICTURE.fullmatch(name))}
    grids = [Grid(int(found[1]), partial(foreign.read_png, samples / name, folder)) for name, found in steps.items()]
    odd = [f"{samples.name}/{visible(name)} names no step" for name in names if name not in steps]
    return sorted(grids, key=lambda grid: grid.step), few(odd)
