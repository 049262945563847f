"""The comparison as a table in the terminal and as CSV."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gan_framework.compare.groups import Comparison, Group
from gan_framework.storage import files
from gan_framework.storage.text import brief, visible

WIDE = 120
"""Columns of a terminal that has room for the budgets; the CSV file has them always."""
OTHERS = 90
"""Columns of a terminal that are not for the players' updates."""
HEADING = 24
"""Characters of a player's name there."""
CELL = 1_000
"""Characters of a group's settings there."""
REASON = 500
"""Characters of why a run did not finish."""
LARGE = 1e15
"""From here on, a count is written with an exponent."""

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a cell begins with that spreadsheets compute."""
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def show(comparison: Comparison, console: Console) -> None:
    """Print the ranked groups, and what became of runs that did not finish."""
    if not console.is_terminal:
        console.width = max(console.width, 160)
    direction = "higher" if comparison.higher_is_better else "lower"
    title = Text(f"{brief(comparison.metric, HEADING)} ({direction} is better)", style="italic")
    table = Table(title=title, title_justify="left")
    players = _players(comparison, console.width - OTHERS)
    budgets = ["images", *players, "seconds"] if console.width >= WIDE else []
    for name in ("rank", "settings", "seeds", "last", "best", *budgets, "verdict"):
        heading = Text(brief(name, HEADING))  # in which, as in all texts, [...] is no markup
        if name in ("settings", "verdict"):
            table.add_column(heading, overflow="fold", min_width=12)
        else:
            table.add_column(heading, justify="right", no_wrap=True)
    for rank, group in enumerate(comparison.groups, 1):
        settings = Text(brief(group.name, CELL))
        figures = _figures(group, players)[: 3 + len(budgets)]
        table.add_row(str(rank), settings, *figures, Text(comparison.statement(group)))
    console.print(table)
    for sentence in comparison.summary() + comparison.effects_said():
        console.print(Text(f"{sentence}."))
    for run in comparison.failed:
        console.print(Text(f"{visible(run.place)}: {brief(run.why, REASON)}", style="red"))


def write_csv(comparison: Comparison, path: Path) -> None:
    """Write one line for each group; see `cell` for how names and settings are written.

    Raises:
        OSError: the file cannot be written, and what was there is left; it names the file.
    """
    settings, text = comparison.settings, io.StringIO()
    writer = csv.writer(text)
    names = [cell(name) for name in settings]
    scores = [cell(f"{comparison.metric}_{part}") for part in ("last_mean", "last_std", "best_mean", "best_std")]
    players = [cell(name) for name in comparison.players]
    writer.writerow(["rank", *names, "seeds", "runs", *scores, "images_seen", *players, "seconds"])
    for rank, group in enumerate(comparison.groups, 1):
        writer.writerow(
            [rank, *(cell(group.settings.get(name, "")) for name in settings), group.last.n]
            + [len(group.runs) + len(group.others)]
            + [group.last.mean, group.last.std, group.best.mean, group.best.std]
            + [group.budget(name) for name in ("images_seen", *comparison.players, "seconds")]
        )
    files.write_text(path, text.getvalue())


def cell(text: str) -> str:
    """Return a text as a cell that spreadsheets show: what would be a formula has an apostrophe before it.

    Numbers stay as they are; what steers a terminal is escaped.
    """
    shown = visible(text)
    if NUMBER.fullmatch(shown):
        return shown
    return f"'{shown}" if shown.lstrip().startswith(FORMULA) or text[:1] in ("\t", "\r", "\n") else shown


def _players(comparison: Comparison, room: int) -> list[str]:
    """Return the players whose updates the terminal has room for, so that no other column is squeezed."""
    chosen = []
    for name in comparison.players:
        counts = [_count(group.budget(name), 0) for group in comparison.groups]
        room -= max(map(len, (brief(name, HEADING), *counts))) + len(" │ ")
        if room < 0:
            break
        chosen.append(name)
    return chosen


def _figures(group: Group, players: list[str]) -> list[str]:
    total = len(group.runs) + len(group.others)
    seeds = str(group.last.n) if group.last.n == total else f"{group.last.n} of {total}"
    budgets = [_count(group.budget(name), 0) for name in ("images_seen", *players)]
    return [seeds, str(group.last), str(group.best), *budgets, _count(group.budget("seconds"), 1)]


def _count(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}" if not abs(value) >= LARGE else f"{value:.4g}"
