"""Runs from wherever they are: folders, W&B's records on disk, projects on a W&B server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gan_framework.compare.folder import find_runs, read_run
from gan_framework.compare.records import Record
from gan_framework.errors import ConfigError
from gan_framework.wandb_io.offline import find_records, read_runs
from gan_framework.wandb_io.projects import PREFIX, read_project


def read(sources: Iterable[str | Path]) -> list[Record]:
    """Read every run of some sources, each once: sources may overlap, and a record of W&B's may lie beside its run.

    Args:
        sources: folders, in which and below which run folders and W&B's records are found, and
            projects (`wandb:ENTITY/PROJECT`).

    Raises:
        ConfigError: a source does not exist, holds no run, or holds a damaged one.
    """
    found: dict[str, Record] = {}
    for record in (record for source in sources for record in _read(source)):
        found.setdefault(record.run_id or record.place, record)
    return list(found.values())


def _read(source: str | Path) -> list[Record]:
    if str(source).startswith(PREFIX):
        return read_project(str(source))
    folder = Path(source).resolve()
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}")
    found = [read_run(run) for run in find_runs(folder)] + read_runs(find_records(folder))
    if not found:
        raise ConfigError(
            f"{folder} holds no run: neither it nor a folder below it has a config.yaml or a record of W&B's"
        )
    return found
