"""The commands that train, and list what was trained: train, resume, runs, diff."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gan_framework.cli.arguments import completed

# Imports of the work are inside the commands: `--help` needs none of it, and listing plugins no torch.


def train(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN/config.yaml] [overrides]", autocompletion=completed())
    ] = None,
) -> None:
    """Train: [RUN/config.yaml] [overrides], like `python run.py`; `train --help` shows all settings."""
    from gan_framework.cli import train

    sys.argv = ["gan-framework train", *(arguments or []), *context.args]
    raise typer.Exit(train.train())


def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="train.steps=20000, 'metrics=[fid,kid]', ...: changed settings.", autocompletion=completed()
        ),
    ] = None,
) -> None:
    """Resume a run in its folder, with its own configuration; changed settings are listed."""
    from gan_framework.cli import resume

    sys.argv = ["gan-framework resume"]
    raise typer.Exit(resume.resume(run, overrides or []))


def runs(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FOLDER] [FILTER...]",
            help="Where to look, and which to list: status=failed, loss=hinge,minimax, 'seed!=0', lr=1e-4, 'fid<100', "
            "'step>=1000'; quote < and >, or the shell writes a file.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the runs in and below a folder: status, step, score, age and the settings that differ."""
    from gan_framework.cli import runs

    runs.runs(arguments or [], as_json)


def diff(
    one: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    other: Annotated[Path, typer.Argument(metavar="RUN", help="Another run's folder.")],
) -> None:
    """Compare two runs side by side: settings, status and scores."""
    from gan_framework.cli import diff

    diff.diff(one, other)
