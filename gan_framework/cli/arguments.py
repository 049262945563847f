"""What several commands have in common: arguments, options, and checks of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gan_framework.errors import ConfigError


def completed(*roots: str) -> Any:
    """Return what completes the overrides of a command, which may begin with `roots`; all without any."""

    def complete(incomplete: str) -> list[str]:
        from gan_framework.cli import completing

        found: list[str] = completing.for_command(roots or None)(incomplete)
        return found

    return complete


def kinds(incomplete: str) -> list[str]:
    """Return the kinds of plugins that begin with what is typed."""
    from gan_framework.cli import completing

    return completing.kinds(incomplete)


def plain(context: typer.Context, overrides: list[str] | None) -> list[str]:
    """Return overrides, an empty list for none, as typer 0.16 asks for its length.

    Raises:
        ConfigError: one is an option of the command, written like a setting.
    """
    flags = {flag for parameter in context.command.params for flag in parameter.opts if flag.startswith("--")}
    given = overrides or []
    for override in given:
        key, is_set, value = override.partition("=")
        if is_set and f"--{key}" in flags:
            raise ConfigError(f"{override}: this is an option, not a setting: --{key} {value}")
    return given


def names(classes: str | None) -> list[str] | None:
    """Return the names that stand between commas."""
    return None if classes is None else [name.strip() for name in classes.split(",")]


def check_out(out: Path | None, folder: bool = False) -> None:
    """Raise ConfigError if `--out` names a place where no file, or no folder, can be written."""
    if out is None:
        return
    kind = "folder" if folder else "file"
    if out.exists() and out.is_dir() != folder:
        raise ConfigError(f"--out {out} is an existing {'file' if folder else 'folder'}: name a {kind}")
    if out.exists() and not folder and not out.is_file():
        raise ConfigError(f"--out {out} is a device or a stream, whose place a file would take: name a file")
    for parent in out.parents:
        if parent.exists() and not parent.is_dir():
            raise ConfigError(f"--out {out}: {parent} is a file and can hold no {kind}; name another place")


Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]

MovedData = Annotated[
    list[str] | None,
    typer.Argument(help="data.path=..., if the data have moved.", callback=plain, autocompletion=completed("data")),
]

SCORED = completed("data", "extractor", "metrics", "sampler", "evaluate", "train.device")
"""Completes what says how samples are scored."""
