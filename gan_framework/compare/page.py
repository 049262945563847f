"""The comparison as one HTML page that needs no network."""

from __future__ import annotations

import base64
import json
import math
from importlib import resources
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from gan_framework.compare.groups import Comparison, Group
from gan_framework.compare.records import Curve
from gan_framework.storage import files

POINTS = 60
"""Points of a curve; more would not be seen."""
GRIDS = 6
"""Sample grids of a group, evenly spread over training."""
PICTURED = 24
"""Groups whose sample grids are shown, best first: each takes a few hundred kilobytes."""


def write_page(comparison: Comparison, path: Path) -> None:
    """Write the page: a table to sort and filter, curves with bands, parallel coordinates, sample grids."""
    import jinja2
    from plotly.offline import get_plotlyjs

    template = jinja2.Template(
        resources.files("gan_framework.compare").joinpath("page.html.jinja").read_text(encoding="utf-8"),
        autoescape=True,
    )
    groups = [_group(comparison, rank, group) for rank, group in enumerate(comparison.groups, 1)]
    data = {
        "metric": comparison.metric,
        "higher": comparison.higher_is_better,
        "players": comparison.players,
        "settings": comparison.settings,
        "groups": groups,
    }
    failed = [{"place": run.place, "why": run.why} for run in comparison.failed]
    # `</` would end the script element; escaped, it is the same string to JSON.
    text = json.dumps(files.finite(data)).replace("</", "<\\/")
    page = template.render(
        metric=comparison.metric, higher=comparison.higher_is_better, groups=len(groups),
        runs=sum(len(group.runs) for group in comparison.groups), failed=failed, data=text, plotly=get_plotlyjs(),
    )  # fmt: skip
    files.write_text(path, page)


def _group(comparison: Comparison, rank: int, group: Group) -> dict[str, Any]:
    names = sorted({name for run in group.runs for name in run.curves})
    return {
        "rank": rank,
        "name": group.name,
        "settings": group.settings,
        "seeds": group.last.n,
        "runs": len(group.runs) + len(group.others),
        "last": [group.last.mean, group.last.std],
        "best": [group.best.mean, group.best.std],
        "budgets": {
            name: group.budget(name) if group.runs else math.nan
            for name in ("images_seen", *comparison.players, "seconds")
        },
        "statement": comparison.statement(group),
        "curves": {name: band([run.curves[name] for run in group.runs if name in run.curves]) for name in names},
        "grids": _grids(group) if rank <= PICTURED else [],
    }


def band(curves: list[Curve]) -> dict[str, list[float]]:
    """Return mean and standard deviation (n - 1 in the denominator) over curves, where all of them have points."""
    by_x = [dict(curve) for curve in curves]
    common = sorted(set.intersection(*(set(curve) for curve in by_x)))
    chosen = _spread_out(common, POINTS)
    values = [[curve[x] for curve in by_x] for x in chosen]
    return {
        "x": [float(x) for x in chosen],
        "mean": [float(f"{fmean(v):.5g}") for v in values],
        "std": [float(f"{stdev(v) if len(v) > 1 else 0:.3g}") for v in values],
    }


def _grids(group: Group) -> list[dict[str, str]]:
    if not group.runs:
        return []
    return [
        {
            "step": str(grid.step),
            "image": "data:image/png;base64," + base64.b64encode(grid.read()).decode(),
        }
        for grid in _spread_out(group.runs[0].grids, GRIDS)
    ]


def _spread_out(items: list[Any], most: int) -> list[Any]:
    """Return at most so many items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return items
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]
