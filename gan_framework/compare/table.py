"""The comparison as a table in the terminal and as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gan_framework.compare.groups import Comparison, Group


def show(comparison: Comparison, console: Console) -> None:
    """Print the ranked groups, and what became of runs that did not finish."""
    direction = "higher" if comparison.higher_is_better else "lower"
    table = Table(title=f"{comparison.metric} ({direction} is better)", title_justify="left")
    for name in ("rank", "settings", "seeds", "last", "best", "images", *comparison.players, "seconds", "verdict"):
        table.add_column(name, justify="left" if name in ("settings", "verdict") else "right")
    for rank, group in enumerate(comparison.groups, 1):
        settings = Text(group.name)  # in which [...] is no markup
        table.add_row(str(rank), settings, *map(str, _figures(comparison, group)), comparison.statement(group))
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
