"""Runs from the records that W&B keeps of them on disk, where a run's folder is not at hand."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gan_framework.compare.folder import CONFIG_FILE
from gan_framework.compare.records import Grid, Record, curves
from gan_framework.errors import ConfigError
from gan_framework.runs.columns import configuration, line


def find_records(folder: Path) -> list[Path]:
    """Return the record files among a folder and all below it, but those inside a run's folder."""
    found = folder.rglob("*run-*/run-*.wandb")
    # wandb/offline-run-DATE_TIME-ID/run-ID.wandb
    return sorted(path for path in found if not (path.parents[2] / CONFIG_FILE).exists())


def read_runs(paths: list[Path]) -> list[Record]:
    """Read record files; those of one run, which was resumed, are joined.

    Raises:
        ConfigError: a file cannot be read.
    """
    parts = defaultdict(list)
    # The folders' names hold the time.
    for path in sorted(paths, key=lambda path: path.parent.name.removeprefix("offline-")):
        entries = read_entries(path)
        if "run" in entries:  # else it was killed before it began
            parts[entries["run"][0]["run_id"]].append((path.parent, entries))
    return [_join(found) for found in parts.values()]


def read_entries(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what a record file holds, by type: `run`, `history`, `summary`, ...

    Raises:
        ConfigError: the file cannot be read.
    """
    from wandb.util import get_core_path

    # What `wandb leet inspect` calls, without its second of start-up.
    command = [get_core_path(), "leet", "inspect", "--json", "--run-file", str(path), str(path.parent)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ConfigError(f"the W&B record {path} cannot be read: {done.stderr.strip()}")
    entries = defaultdict(list)
    for entry in map(json.loads, done.stdout.splitlines()):
        entries[entry["type"]].append(entry[entry["type"]])
    return dict(entries)


def _join(parts: list[tuple[Path, dict[str, list[dict[str, Any]]]]]) -> Record:
    rows: list[tuple[Path, dict[str, Any]]] = []
    summary: dict[str, Any] = {}
    for folder, entries in parts:
        new = [entry["item"] for entry in entries.get("history", [])]
        if new:  # a resumed run repeats the steps after its checkpoint
            rows = [(place, row) for place, row in rows if row["_step"] < new[0]["_step"]]
        rows += [(folder, row) for row in new]
        for entry in entries.get("summary", []):
            summary |= entry["update"]
    folder, entries = parts[-1]
    head = entries["run"][0]
    lines = [line(row) for _, row in rows]
    summary["metrics"] = {name: curve[-1][1] for name, curve in curves(lines).items()}
    config = configuration(head["config"]["update"])
    return Record(str(folder), summary, config, head["run_id"], lambda: lines, lambda: list(_grids(rows)))


def _grids(rows: list[tuple[Path, dict[str, Any]]]) -> Iterator[Grid]:
    for folder, row in rows:
        path = folder / "files" / row.get("samples.path", "")
        if path.is_file():
            yield Grid(row["_step"], path.read_bytes)
