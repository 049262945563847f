"""Lines that commands print."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from gan_framework.cli.shown import shown


def say(what: object, err: bool = False) -> None:
    """Print a line, in which names may be somebody else's."""
    typer.echo(shown(what), err=err)


def say_changes(what: object, changes: Iterable[str]) -> None:
    """Say on stderr how images were brought to the shape of a run's."""
    for change in changes:
        say(f"{what}: {change}", err=True)
