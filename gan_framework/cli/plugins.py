"""What `gan-framework plugins` prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gan_framework.cli.shown import shown
from gan_framework.errors import ConfigError
from gan_framework.registry.index import known
from gan_framework.registry.kinds import KINDS, kind_named
from gan_framework.registry.listing import COMPOSED, Entry, composed, config_problems, configured, entries
from gan_framework.registry.packages import written
from gan_framework.storage.secrets import mask

WIDE = 1000
"""The width of lines that go to a file or another program."""


def show(kind: str | None, as_json: bool) -> None:
    """Print the installed plugins, of one kind or of all, and what is composed of them: models and experiments.

    Raises:
        ConfigError: there is no such kind.
    """
    found = list(_found(kind))
    if as_json:
        print(json.dumps(mask([asdict(entry) for entry in found]), indent=2, default=str))
    else:
        console = Console() if sys.stdout.isatty() else Console(width=WIDE)
        for name, group in groupby(found, key=lambda entry: entry.kind):
            console.print(Text(shown(name), style="bold"))
            with console.capture() as printed:
                console.print(_table(list(group)))
            print("\n".join(line.rstrip() for line in printed.get().splitlines()))  # tables are padded to their width
    for distribution, problem in config_problems().items():
        print(f"{shown(distribution)}: {shown(problem)}", file=sys.stderr)


def show_index(as_json: bool) -> None:
    """Print the distributions with plugins that the index knows, installed or not."""
    found = known()
    if as_json:
        print(json.dumps([asdict(one) | {"installed": one.installed} for one in found], indent=2))
    elif not found:
        print("The index knows none yet; a pull request adds yours to gan_framework/registry/index.yaml.")
    for one in [] if as_json else found:
        state = f"{one.installed} is installed" if one.installed else f"not installed: {one.install}"
        print(f"{shown(one.name)}  {shown(one.summary)} ({', '.join(one.kinds)}; {shown(state)}; {shown(one.home)})")


def _found(kind: str | None) -> Iterator[Entry]:
    named = {name: name for name in COMPOSED} | {group: name for name, group in COMPOSED.items()}
    if kind in named:
        yield from composed(named[kind])
        return
    if kind is None:
        yield from (entry for name in COMPOSED for entry in composed(name))
    for name in KINDS if kind is None else (_kind(kind),):
        yield from sorted([*entries((name,)), *configured(name)], key=lambda entry: entry.name)


def _kind(word: str) -> str:
    """Return the kind that a word names.

    Raises:
        ConfigError: none has the name; where an option has it, that is said.
    """
    try:
        return kind_named(word).name
    except ConfigError as error:
        from gan_framework.config.proposals import option_called

        if named := option_called(word):
            raise ConfigError(f"{word} is not a kind of plugin but an option: {', '.join(named)}") from error
        raise


def _table(found: list[Entry]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=20)
    table.add_column(no_wrap=True)
    table.add_column()
    for entry in found:
        settings = shown(" ".join(f"{key}={written(value)}" for key, value in entry.settings.items()))
        about = Text(shown(entry.summary))
        if settings:
            about.append(f"\n{settings}", style="dim")
        for score, says in entry.scores.items():
            about.append(f"\n{shown(score)} ", style="bold").append(shown(says))
        if entry.aliases:
            about.append(f"\nalso called {', '.join(entry.aliases)}", style="dim")
        if entry.problem:
            about.append(f"\nbroken: {shown(entry.problem)}", style="red")
        table.add_row(Text(f"  {shown(entry.name)}"), Text(shown(f"{entry.distribution} {entry.version}")), about)
    return table
