"""Runs from the records that W&B keeps of them on disk, where a run's folder is not at hand."""

from __future__ import annotations

import json
import math
import os
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from functools import partial, reduce
from pathlib import Path
from typing import Any, NamedTuple

from gan_framework.compare.figures import Figure
from gan_framework.compare.folder import CONFIG_FILE
from gan_framework.compare.records import Damaged, Grid, Record
from gan_framework.storage import foreign
from gan_framework.storage.plain import shown
from gan_framework.storage.text import brief
from gan_framework.wandb_io.rows import Rows, inside, record, row_of, step_of

RECORD_BYTES = 2**30
"""The largest record that is read."""
ENTRY_BYTES = 2**24
"""Its largest entry."""
SAID = 300
"""Characters of what W&B says about a record that it cannot read."""


class Part(NamedTuple):
    """What one record file holds of a run; one that was resumed has several.

    Attributes:
        path: the file.
        head: W&B's entry about the run; it has the id.
        columns: the configuration as W&B has it; None if there is none.
        summary: what the run's summary was updated by.
        first: the first step; None if there is none.
        last: the last one.
        figures: the figures by name.
        grids: the grids of samples.
        passed_over: pictures that were not read, and why.
    """

    path: Path
    head: dict[str, Any]
    columns: Any
    summary: dict[str, Any]
    first: int | None
    last: int
    figures: dict[str, Figure]
    grids: list[Grid]
    passed_over: list[str]


def find_records(folder: Path) -> list[Path]:
    """Return the record files among a folder and all below it, but those inside a run's folder."""
    found = []
    for place in foreign.walk(folder):
        # wandb/offline-run-DATE_TIME-ID/run-ID.wandb
        if "run-" in place.path.name and not os.path.lexists(place.path.parent.parent / CONFIG_FILE):
            found += [place.path / name for name in place.names if name.startswith("run-") and name.endswith(".wandb")]
    return sorted(found)


def read_records(paths: list[Path]) -> list[Record | Damaged]:
    """Read record files; those of one run, which was resumed, are joined; what is damaged hides no other."""
    parts: dict[str, list[Part]] = defaultdict(list)
    found: list[Record | Damaged] = []
    # The folders' names hold the time.
    for path in sorted(paths, key=lambda path: path.parent.name.removeprefix("offline-")):
        try:
            part = read_part(path)
            if part is not None:  # else it was killed before it began
                parts[str(part.head.get("run_id"))].append(part)
        except (foreign.Damaged, OSError) as error:
            found.append(Damaged(str(path.parent), f"{path.name}: {error}"))
    for run in parts.values():
        try:
            found.append(_join(run))
        except (foreign.Damaged, OSError) as error:
            found.append(Damaged(str(run[-1].path.parent), f"{run[-1].path.name}: {error}"))
    return found


def read_part(path: Path, end: float = math.inf) -> Part | None:
    """Read a record file; None if it says nothing of a run.

    Args:
        path: the file.
        end: the step from which on nothing is taken up.

    Raises:
        Damaged: the file cannot be read.
    """
    heads: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}
    added: dict[str, Any] = {}
    rows, grids, passed_over = Rows(), [], []
    files = path.parent / "files"
    for kind, entry in entries(path):
        if kind == "run":
            heads.append(entry)
        elif kind == "config" and isinstance(entry.get("update"), dict):
            added |= entry["update"]
        elif kind == "summary" and isinstance(entry.get("update"), dict):
            summary |= entry["update"]
        elif kind == "history":
            row = row_of(entry.get("item"))
            if step_of(row) >= end:
                continue
            rows.add(row)
            if "samples.path" not in row:
                continue
            if not inside(picture := row["samples.path"]):
                passed_over.append(f"samples.path is {shown(picture)} and leads out of the run's folder")
            elif os.path.lexists(files / picture):
                grids.append(Grid(row["_step"], partial(foreign.read_png, files / picture, files)))
    if not heads:
        return None
    config = heads[0].get("config")
    columns = config.get("update") if isinstance(config, dict) else None
    columns = columns | added if isinstance(columns, dict) else columns
    return Part(path, heads[0], columns, summary, rows.first, rows.last, rows.figures(), grids, passed_over)


def read_entries(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what a record file holds, by type: `run`, `history`, `summary`, ...

    Raises:
        Damaged: the file cannot be read.
    """
    found = defaultdict(list)
    for kind, entry in entries(path):
        found[kind].append(entry)
    return dict(found)


def entries(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the entries of a record file, each with its type, one at a time.

    Raises:
        Damaged: the file cannot be read.
    """
    from wandb.util import get_core_path

    foreign.open_regular(path, path.parent, RECORD_BYTES).close()
    # What `wandb leet inspect` calls, without its second of start-up.
    command = [get_core_path(), "leet", "inspect", "--json", "--run-file", str(path), str(path.parent)]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said) as reader,
    ):
        assert reader.stdout is not None
        ended = False
        try:
            while line := reader.stdout.readline(ENTRY_BYTES + 1):
                if len(line) > ENTRY_BYTES:
                    raise foreign.Damaged(f"an entry is larger than {ENTRY_BYTES:,} bytes")
                yield _entry(line)
            ended = True
        finally:
            if not ended:  # nobody asks for the rest
                reader.kill()
        if reader.wait():
            said.seek(0)
            why = said.read().decode(errors="replace").strip()
            raise foreign.Damaged(f"W&B cannot read it: {brief(why, SAID)}")


def _entry(line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        found = json.loads(line)
        kind, entry = found["type"], found[found["type"]]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise foreign.Damaged(f"an entry is not as W&B writes it: {type(error).__name__}") from error
    if not isinstance(kind, str) or not isinstance(entry, dict):
        raise foreign.Damaged(f"an entry is not as W&B writes it: {shown(entry)}")
    return kind, entry


def _join(parts: list[Part]) -> Record:
    summary: dict[str, Any] = {}
    for part in parts:
        summary |= part.summary
    kept: list[Part] = []
    end = math.inf
    for part in reversed(parts):
        if part.last >= end:  # a resumed run repeats the steps after its checkpoint
            part = read_part(part.path, end) or part
        kept.insert(0, part)
        end = end if part.first is None else min(end, part.first)
    names = dict.fromkeys(name for part in kept for name in part.figures)
    figures = {
        name: reduce(Figure.join, (part.figures[name] for part in kept if name in part.figures)) for name in names
    }
    grids = [grid for part in kept for grid in part.grids]
    passed_over = [text for part in kept for text in part.passed_over]
    run_id, columns = parts[-1].head.get("run_id"), parts[-1].columns
    return record(str(parts[-1].path.parent), run_id, columns, summary, figures, grids, passed_over)
