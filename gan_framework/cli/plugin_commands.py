"""The commands for plugins: plugins, new-plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gan_framework.cli.arguments import kinds
from gan_framework.cli.say import say
from gan_framework.errors import ConfigError

# Imports of the work are inside the commands: `--help` needs none of it, and listing plugins no torch.


def plugins(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="[KIND]", help="losses, models, experiments, ..., or `check`.", autocompletion=kinds),
    ] = None,
    distribution: Annotated[str | None, typer.Argument(metavar="[DIST]", help="What to check.")] = None,
    overrides: Annotated[list[str] | None, typer.Argument(help="The configuration to check it in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Which losses, terms and strategies go together, and why others do not.")
    ] = False,
    index: Annotated[
        bool, typer.Option("--index", help="Known distributions with further plugins, installed or not.")
    ] = False,
) -> None:
    """List plugins, models and experiments with papers and settings; `plugins check DIST` tests a distribution."""
    from gan_framework.cli import plugins

    if index:
        if kind is not None or pairs:
            raise ConfigError("--index goes alone: it lists distributions")
        plugins.show_index(as_json)
        return
    if pairs:
        from gan_framework.cli import plugins_pairs

        plugins_pairs.show([name for name in (kind, distribution, *(overrides or [])) if name], as_json)
        return
    if kind != "check":
        if distribution is not None:
            raise ConfigError(f"`plugins` takes one kind, or `check DIST`; {distribution!r} is one too many")
        plugins.show(kind, as_json)
    elif distribution is None:
        raise ConfigError("`plugins check` needs the name of an installed distribution")
    else:
        from gan_framework.testing.distribution import check_distribution

        raise typer.Exit(0 if check_distribution(distribution, overrides or []) else 1)


def new_plugin(
    name: Annotated[str, typer.Argument(help="The plugin's name.")],
    kind: Annotated[str, typer.Option(help="What it is: loss, generator, strategy, ...")],
    out: Annotated[Path, typer.Option(help="The folder to write its distribution into.")] = Path("."),
    into: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The folder of a distribution that it becomes a part of.")
    ] = None,
) -> None:
    """Write a new plugin: code, configuration, tests; a distribution of its own, or a part of one."""
    from gan_framework import scaffold

    if into is None:
        written = scaffold.write(name, kind, out)
        say(written)
        say(f"next: pip install -e {written}, gan-framework plugins check {written.name}", err=True)
        return
    if out != Path("."):
        raise ConfigError(f"--out {out} and --into {into} exclude each other: the distribution has its place")
    for path in scaffold.write_into(name, kind, into):
        say(path)
    say(f"next: pip install -e {into}", err=True)
