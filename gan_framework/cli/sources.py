"""Runs from wherever they are: folders, W&B's records on disk, projects on a W&B server."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from gan_framework.compare.folder import find_runs
from gan_framework.compare.reading import read_runs
from gan_framework.compare.records import Damaged, Record
from gan_framework.errors import ConfigError
from gan_framework.storage import no_run
from gan_framework.storage.text import brief, visible
from gan_framework.wandb_io.offline import find_records, read_records
from gan_framework.wandb_io.projects import PREFIX, read_project

SAID = 1_000
"""Characters of a warning."""


def read(sources: Iterable[str | Path]) -> list[Record | Damaged]:
    """Read every run of some sources, each once: sources may overlap, and a record of W&B's may lie beside its run.

    What is left out, because it cannot be read, is named on stderr, a line for each.

    Args:
        sources: folders, in which and below which run folders and W&B's records are found, and
            projects (`wandb:ENTITY/PROJECT`).

    Returns:
        The runs, and for each that cannot be read its place and the reason.

    Raises:
        ConfigError: a source does not exist, or holds no run.
    """
    found: dict[object, Record | Damaged] = {}
    sources = list(sources)
    files = [source for source in sources if Path(source).is_file()]
    if len(files) < len(sources):  # a shell's pattern, `sweep/*`, names what lies beside the runs too
        sources = [source for source in sources if source not in files]
        for file in files:
            _warn(f"{visible(str(file))} is left out: it is a file, and runs are folders")
    for run in (run for source in sources for run in _read(source)):
        kept = found.setdefault(_identity(run), run)
        if kept is not run:
            if _differ(kept, run):
                _warn(f"{run.place} is left out: it has id, settings and seed of {kept.place}, but other scores")
            continue
        if isinstance(run, Damaged):
            _warn(f"{run.place} is left out: {run.why}")
        else:
            for text in run.passed_over:
                _warn(f"{run.place}: {text}")
    return list(found.values())


def _identity(run: Record | Damaged) -> object:
    """Return what only the same run has: its id alone could be somebody else's, in a folder from somebody else."""
    if isinstance(run, Damaged) or not run.run_id:
        return run.place
    return run.run_id, run.config.get("seed"), frozenset(run.settings.items())


def _differ(one: Record | Damaged, other: Record | Damaged) -> bool:
    """Return whether what is taken for one run has different scores."""
    if isinstance(one, Damaged) or isinstance(other, Damaged):
        return False
    first, second = (run.summary.get("metrics") or {} for run in (one, other))
    return any(first[name] != second[name] for name in first.keys() & second.keys() if name.startswith("eval/"))


def _read(source: str | Path) -> list[Record | Damaged]:
    if str(source).startswith(PREFIX):
        return read_project(str(source))
    folder = Path(source).resolve()
    if not folder.is_dir():
        raise ConfigError(no_run.said(folder) if folder.exists() else f"there is no folder {visible(str(folder))}")
    problems: list[str] = []
    found = read_runs(find_runs(folder, problems)) + read_records(find_records(folder))
    for problem in problems:
        _warn(problem)
    if not found and no_run.owner(folder) is not None:
        raise ConfigError(no_run.said(folder))
    if not found:
        raise ConfigError(
            f"{visible(str(folder))} holds no run: neither it nor a folder below it has a config.yaml or a record of "
            "W&B's"
        )
    return found


def _warn(text: str) -> None:
    print(f"warning: {brief(text, SAID)}", file=sys.stderr)
