"""Runs from their folders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from gan_framework.compare.records import Grid, Record
from gan_framework.errors import ConfigError
from gan_framework.storage.layout import RunFolder

CONFIG_FILE = "config.yaml"
"""What makes a folder a run's."""


def find_runs(folder: Path) -> list[Path]:
    """Return the run folders among a folder and all below it."""
    return sorted(path.parent for path in folder.rglob(CONFIG_FILE) if not _foreign(path.parent))


def _foreign(folder: Path) -> bool:
    """Return whether the config.yaml in a folder is Hydra's or W&B's own."""
    return folder.name == ".hydra" or (folder.name == "files" and any(folder.parent.glob("run-*.wandb")))


def read_run(folder: Path) -> Record:
    """Read a run's folder.

    Raises:
        ConfigError: its configuration or summary is damaged.
    """
    try:
        config = yaml.load((folder / CONFIG_FILE).read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        path = RunFolder(folder).summary
        summary = json.loads(path.read_text()) if path.exists() else {}
    except (yaml.YAMLError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the run {folder} is damaged: {error}") from error
    if not (isinstance(config, dict) and isinstance(summary, dict)):
        raise ConfigError(f"the run {folder} is damaged: its {CONFIG_FILE} or summary.json holds no settings by name")
    id_file = RunFolder(folder).run_id
    run_id = id_file.read_text().strip() if id_file.exists() else None
    return Record(str(folder), summary, config, run_id, lambda: _lines(folder), lambda: _grids(folder))


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    path = RunFolder(folder).metrics
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            # A last line without its end was cut off by a kill.
            if line.endswith(b"\n"):
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise ConfigError(f"{path} is damaged: {error}") from error


def _grids(folder: Path) -> list[Grid]:
    paths = sorted(RunFolder(folder).samples.glob("step_*.png"))
    return [Grid(int(path.stem.removeprefix("step_")), path.read_bytes) for path in paths]
