"""The comparison as one HTML page that needs no network, and in which nothing of a run is markup."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from importlib import resources
from pathlib import Path
from typing import Any

from gan_framework.compare.figures import Curve
from gan_framework.compare.groups import Comparison, Group, mean
from gan_framework.errors import ConfigError
from gan_framework.storage import files
from gan_framework.storage.secrets import mask
from gan_framework.storage.text import brief

POINTS = 60
"""Points of a curve; more would not be seen."""
FEWEST_POINTS = 16
"""Points of a curve where there are many curves."""
NUMBERS = 150_000
"""Means and deviations of all curves together; each takes about eight bytes."""
GRIDS = 6
"""Sample grids of a group, evenly spread over training."""
PICTURED = 24
"""Groups whose sample grids are shown, best first: each takes a few hundred kilobytes."""
PICTURE_BYTES = 16 * 2**20
"""What the grids may take together."""
SETTINGS = 100
"""Settings that the table has a column for."""
TEXT = 300
"""Characters of a name, of a setting's value and of a reason."""


def write_page(comparison: Comparison, path: Path) -> None:
    """Write the page: a table to sort and filter, curves with bands, parallel coordinates, sample grids."""
    import jinja2
    from plotly.offline import get_plotlyjs

    plotly, script = get_plotlyjs(), _resource("page.js")
    left_out: list[str] = []
    data = _data(comparison, left_out)
    lists = {
        "Runs that did not finish": [f"{run.place}: {run.why}" for run in comparison.failed],
        "Runs that could not be read": [f"{run.place}: {run.why}" for run in comparison.damaged],
        "What was left out": comparison.passed_over + left_out,
    }
    page = jinja2.Template(_resource("page.html.jinja"), autoescape=True).render(
        metric=brief(mask(comparison.metric), TEXT),
        higher=comparison.higher_is_better,
        groups=len(comparison.groups),
        runs=sum(len(group.runs) for group in comparison.groups),
        lists=[(title, [brief(mask(text), 2 * TEXT) for text in texts]) for title, texts in lists.items()],
        more_settings=max(len(comparison.settings) - SETTINGS, 0),
        curved=sum(bool(group["curves"]) for group in data["groups"]),
        data=_as_json(mask(data)),
        plotly=plotly,
        script=script,
        policy=_policy(plotly, script),
    )
    # The scripts must stay as they were hashed, so only what is of the runs was masked.
    with files.atomic(path) as file:
        file.write(page.encode())


def _resource(name: str) -> str:
    return resources.files("gan_framework.compare").joinpath(name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> str:
    """Return what the browser lets the page do: run these scripts, and show the pictures in it."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _as_json(data: Any) -> str:
    """Return data as JSON that is also the text of a script element: no `<` could end it, or begin a comment."""
    text = json.dumps(files.finite(data), separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data(comparison: Comparison, left_out: list[str]) -> dict[str, Any]:
    """Return what the page shows; a group has its settings, budgets and curves by their numbers in the lists."""
    settings = comparison.settings[:SETTINGS]
    figures = sorted({name for group in comparison.groups for run in group.runs for name in run.figures})
    groups, curves, pictures = [], _Curves(comparison, figures), _Pictures(left_out)
    for rank, group in enumerate(comparison.groups, 1):
        groups.append(
            {
                "rank": rank,
                "settings": {
                    i: brief(group.settings[name], TEXT) for i, name in enumerate(settings) if name in group.settings
                },
                "seeds": group.last.n,
                "runs": len(group.runs) + len(group.others),
                "last": [group.last.mean, group.last.std],
                "best": [group.best.mean, group.best.std],
                "budgets": [
                    group.budget(name) if group.runs else math.nan
                    for name in ("images_seen", *comparison.players, "seconds")
                ],
                "statement": comparison.statement(group),
                "curves": curves.of(group),
                "grids": pictures.of(group) if rank <= PICTURED else [],
            }
        )
    return {
        "metric": brief(comparison.metric, TEXT),
        "higher": comparison.higher_is_better,
        "players": [brief(name, TEXT) for name in comparison.players],
        "settings": [brief(name, TEXT) for name in settings],
        "figures": [brief(name, TEXT) for name in figures],
        "places": curves.places,
        "groups": groups,
    }


class _Curves:
    """The groups' curves, as many as the page has room for, the best groups' first.

    Attributes:
        places: where curves were measured; most have that in common, so it is kept once.
    """

    def __init__(self, comparison: Comparison, figures: list[str]) -> None:
        self.places: list[list[float]] = []
        self._numbers: dict[tuple[float, ...], int] = {}
        self._figures = {name: number for number, name in enumerate(figures)}
        count = sum(len({name for run in group.runs for name in run.figures}) for group in comparison.groups)
        self._points = min(POINTS, max(FEWEST_POINTS, NUMBERS // max(2 * count, 1)))
        self._left = NUMBERS

    def of(self, group: Group) -> dict[int, list[Any]]:
        """Return a group's curves by their figures: the number of their places, means, and deviations if known."""
        found: dict[int, list[Any]] = {}
        for name in sorted({name for run in group.runs for name in run.figures}):
            if self._left <= 0:
                break
            drawn = band([run.figures[name].curve for run in group.runs if name in run.figures], self._points)
            if not drawn["x"]:
                continue
            self._left -= len(drawn["mean"]) + len(drawn["std"])
            place = self._numbers.setdefault(tuple(drawn["x"]), len(self.places))
            if place == len(self.places):
                self.places.append([int(x) if x.is_integer() else x for x in drawn["x"]])
            found[self._figures[name]] = [place, drawn["mean"], drawn["std"] if any(drawn["std"]) else None]
        return found


def band(curves: list[Curve], points: int = POINTS) -> dict[str, list[float]]:
    """Return mean and standard deviation (n - 1 in the denominator) over curves, where all of them have points."""
    by_x = [dict(curve) for curve in curves]
    common = sorted(set.intersection(*(set(curve) for curve in by_x)))
    chosen = _spread_out(common, points)
    values = [[curve[x] for curve in by_x] for x in chosen]
    return {
        "x": [float(x) for x in chosen],
        "mean": [float(f"{mean(v):.5g}") for v in values],
        "std": [float(f"{_roughly(v):.3g}") for v in values],
    }


def _roughly(values: list[float]) -> float:
    """Return the standard deviation as far as it is drawn; to be exact for thousands of points would take seconds."""
    if len(values) == 1:
        return 0.0
    centre = mean(values)
    squares = [(value - centre) * (value - centre) for value in values]
    return math.sqrt(sum(squares) / (len(values) - 1))


class _Pictures:
    """The groups' sample grids, as many as the page has room for; what cannot be shown is added to `left_out`."""

    def __init__(self, left_out: list[str]) -> None:
        self._left = PICTURE_BYTES
        self._left_out = left_out

    def of(self, group: Group) -> list[dict[str, str]]:
        """Return a group's grids: those of its first run."""
        found = []
        for grid in _spread_out(group.runs[0].grids, GRIDS) if group.runs else []:
            try:
                picture = grid.read()
            except (ConfigError, OSError) as error:
                self._left_out.append(f"{group.runs[0].place}: {error}")
                continue
            if len(picture) > self._left:
                self._left_out.append(
                    f"{group.runs[0].place}: the picture of step {grid.step}: there is no room for it"
                )
                continue
            self._left -= len(picture)
            image = "data:image/png;base64," + base64.b64encode(picture).decode()
            found.append({"step": str(grid.step), "image": image})
        return found


def _spread_out(items: list[Any], most: int) -> list[Any]:
    """Return at most so many items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return items
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]
