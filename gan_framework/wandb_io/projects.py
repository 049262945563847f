"""Runs from a project on a W&B server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gan_framework.compare.records import Damaged, Grid, Record
from gan_framework.errors import ConfigError
from gan_framework.storage import foreign
from gan_framework.storage.plain import shown
from gan_framework.wandb_io.rows import Rows, inside, record, row_of

PREFIX = "wandb:"
"""What a project starts with: `wandb:ENTITY/PROJECT`, or a sweep in it, `wandb:ENTITY/PROJECT/GROUP`."""


def read_project(source: str, api: Any = None) -> list[Record | Damaged]:
    """Read the training runs of a project, or of one group in it.

    Args:
        source: `wandb:ENTITY/PROJECT` or `wandb:ENTITY/PROJECT/GROUP`.
        api: a `wandb.Api`; by default one with the key that `wandb login` has kept.

    Raises:
        ConfigError: the source is written wrongly, there is no key, or no such project or run.
    """
    entity, _, rest = source.removeprefix(PREFIX).partition("/")
    project, _, group = rest.partition("/")
    if not entity or not project:
        raise ConfigError(f"{source}: write wandb:ENTITY/PROJECT or wandb:ENTITY/PROJECT/GROUP")
    filters = {"jobType": "train"} | ({"group": group} if group else {})
    try:
        runs = list((api or log_in()).runs(f"{entity}/{project}", filters=filters, lazy=False))
    except ValueError as error:  # what W&B raises where it finds no project
        raise ConfigError(f"{source}: {error}") from error
    if not runs:
        raise ConfigError(f"{source} holds no run with job_type=train")
    return [_record(source, run) for run in runs]


def log_in() -> Any:
    """Return a `wandb.Api` of the server at hand.

    Raises:
        ConfigError: there is no key, or the server does not take it.
    """
    import wandb

    try:
        if wandb.login(prompt=False, verify=True):
            return wandb.Api()
    except wandb.errors.Error as error:
        raise ConfigError(f"the W&B server cannot be used: {error}") from error
    mode = f", nor with WANDB_MODE={os.environ['WANDB_MODE']}" if "WANDB_MODE" in os.environ else ""
    raise ConfigError(f"the W&B server cannot be used without an API key (`wandb login` asks for it once){mode}")


def _record(source: str, run: Any) -> Record | Damaged:
    place = f"{source.split('/')[0]}/{run.project}/{run.id}"
    summary = dict(run.summary_metrics)
    # A run that was killed has written no status.
    summary.setdefault("status", run.state)
    rows, grids, passed_over = Rows(), [], []
    try:
        for row in map(row_of, run.scan_history()):
            rows.add(row)
            if not isinstance(row.get("samples"), Mapping):
                continue
            picture = row["samples"].get("path")
            if inside(picture):
                grids.append(Grid(row["_step"], partial(_download, run, picture)))
            else:
                passed_over.append(f"samples.path is {shown(picture)} and leads out of the run's folder")
        return record(place, run.id, dict(run.config), summary, rows.figures(), grids, passed_over)
    except foreign.Damaged as error:
        return Damaged(place, str(error))


def _download(run: Any, path: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        run.file(path).download(root=folder)
        return foreign.read_png(Path(folder) / path, Path(folder))
