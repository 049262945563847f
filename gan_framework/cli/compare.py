"""The work of `gan-framework compare`: runs are read, ranked, shown, and written into files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import typer
from rich.console import Console

from gan_framework.cli import sources
from gan_framework.cli.say import say
from gan_framework.compare import across, conditions, export, groups, page, parts, profiles, table
from gan_framework.sweeps import views
from gan_framework.sweeps.naming import sweep_name


class Files(NamedTuple):
    """Where a comparison is written; None for nowhere, but for the table, which has a place of its own then."""

    csv: Path | None
    html: Path | None
    json: Path | None
    markdown: Path | None
    latex: Path | None


def compare(
    sweeps: list[str],
    metric: str | None,
    by: str,
    files: Files,
    baseline: list[str],
    paired: bool,
    detect: float | None,
    study: str | None,
) -> None:
    """Show a comparison, and write it into files; runs that are measured in different ways are ranked apart.

    Args:
        sweeps: folders and projects, and conditions on settings between them.
        metric: the score that ranks; None for the one that most runs chose their best checkpoint by.
        by: `last` or `best`, which score of each run counts.
        files: where it is written.
        baseline: `KEY=VALUE` of the group that others are compared with, which is the best one otherwise.
        paired: whether runs of the same seed are compared with each other.
        detect: a difference, for which it is said how many seeds would show it.
        study: the storage of Optuna's study of the search, of which views are shown and written too.
    """
    folders, asked = conditions.parse(sweeps)
    runs = conditions.admitted(sources.read(folders), asked)
    search = views.read(study, sweep_name(Path(folders[0]))) if study is not None else None
    found = parts.divide(runs, metric)
    written = (
        (files.html, partial(page.write_page, views=search.views if search is not None else [])),
        (files.json, partial(export.write_json, search=search.plain if search is not None else None)),
        (files.markdown, export.write_markdown),
        (files.latex, export.write_latex),
    )
    for number, part in enumerate(found, 1):
        if number > 1:
            typer.echo()
            say(f"Part {number} of {len(found)}: its scores differ from part 1's in {', '.join(part.differs)}")
        comparison = groups.compare(part.runs, metric, by, baseline=baseline, paired=paired, detect=detect)
        table.show(comparison, Console())
        table.write_csv(comparison, _numbered(files.csv or beside(folders[0]) / "compare.csv", number))
        for path, write in written:
            if path is not None:
                write(comparison, _numbered(path, number))
                say(_numbered(path, number))
    for view in search.views if search is not None else []:
        say(f"{view.title}: {view.said}")


def compare_over(
    sweeps: list[str], key: str, metric: str | None, by: str, html: Path | None, json: Path | None
) -> None:
    """Show a comparison over the data sets that a setting names, and write it into files."""
    folders, asked = conditions.parse(sweeps)
    whole = across.over(conditions.admitted(sources.read(folders), asked), key, metric, by)
    across.show(whole, Console())
    for path, write in ((html, profiles.write_page), (json, across.write_json)):
        if path is not None:
            write(whole, path)
            say(path)


def beside(source: str) -> Path:
    """Return the folder for what is made of a source: itself, or where we are if it is no folder."""
    return Path(source) if Path(source).is_dir() else Path()


def _numbered(path: Path, number: int) -> Path:
    """Return the file of a part of a mixed lot of runs: the first has the name that was asked for."""
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")
