"""The comparison as a table in the terminal and as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gan_framework.compare.groups import Comparison, Group

WIDE = 120
"""Columns of a terminal that has room for the budgets; the CSV file has them always."""


def show(comparison: Comparison, console: Console) -> None:
    """Print the ranked groups, and what became of runs that did not finish."""
    if not console.is_terminal:
        console.width = max(console.width, 160)
    direction = "higher" if comparison.higher_is_better else "lower"
    table = Table(title=f"{comparison.metric} ({direction} is better)", title_justify="left")
    budgets = ["images", *comparison.players, "seconds"] if console.width >= WIDE else []
    for name in ("rank", "settings", "seeds", "last", "best", *budgets, "verdict"):
        if name in ("settings", "verdict"):
            table.add_column(name, overflow="fold", min_width=12)
        else:
            table.add_column(name, justify="right", no_wrap=True)
    for rank, group in enumerate(comparison.groups, 1):
        settings = Text(group.name)  # in which [...] is no markup
        figures = _figures(comparison, group)[: 3 + len(budgets)]
        table.add_row(str(rank), settings, *figures, comparison.statement(group))
    console.print(table)
    for run in comparison.failed:
        console.print(f"{run.place}: {run.why}", style="red", markup=False)


def write_csv(comparison: Comparison, path: Path) -> None:
    """Write one line for each group."""
    settings = comparison.settings
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        scores = [f"{comparison.metric}_{part}" for part in ("last_mean", "last_std", "best_mean", "best_std")]
        writer.writerow(["rank", *settings, "seeds", "runs", *scores, "images_seen", *comparison.players, "seconds"])
        for rank, group in enumerate(comparison.groups, 1):
            writer.writerow(
                [rank, *(group.settings.get(name, "") for name in settings), group.last.n]
                + [len(group.runs) + len(group.others)]
                + [group.last.mean, group.last.std, group.best.mean, group.best.std]
                + [group.budget(name) for name in ("images_seen", *comparison.players, "seconds")]
            )


def _figures(comparison: Comparison, group: Group) -> list[str]:
    total = len(group.runs) + len(group.others)
    seeds = str(group.last.n) if group.last.n == total else f"{group.last.n} of {total}"
    budgets = [f"{group.budget(name):,.0f}" for name in ("images_seen", *comparison.players)]
    return [seeds, str(group.last), str(group.best), *budgets, f"{group.budget('seconds'):,.1f}"]
