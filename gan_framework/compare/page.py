"""The comparison as one HTML page that needs no network, and in which nothing of a run is markup."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from gan_framework.compare import pictures
from gan_framework.compare.figures import Curve
from gan_framework.compare.groups import Comparison, Group
from gan_framework.compare.spread import mean
from gan_framework.compare.statistics import t_interval
from gan_framework.storage import files
from gan_framework.storage.secrets import mask
from gan_framework.storage.text import brief

SCRIPTS = ("drawing", "seeds", "curves", "coordinates", "page")
"""The page's scripts, each a file in `script/`, in the order in which they run."""
POINTS = 60
"""Points of a curve; more would not be seen."""
FEWEST_POINTS = 16
"""Points of a curve where there are many curves."""
NUMBERS = 150_000
"""Means and deviations of all curves together; each takes about eight bytes."""
BYTES = 1_900_000
"""What the page may take, that it can be sent by mail; sample grids fill what curves and table leave of it."""
SETTINGS = 100
"""Settings that the table has a column for."""
TEXT = 300
"""Characters of a name, of a setting's value and of a reason."""


def write_page(comparison: Comparison, path: Path, views: Sequence[tuple[str, str, bytes | None]] = ()) -> None:
    """Write the page: a table to sort and filter, curves with bands, parallel coordinates, sample grids.

    Args:
        comparison: what it shows.
        path: the file.
        views: pictures of the search that the runs are of: a title, what it says in words, and a PNG.
    """
    import jinja2

    scripts = [_resource(f"script/{name}.js") for name in SCRIPTS]
    left_out: list[str] = []
    data, markup = _data(comparison), _resource("page.html.jinja")
    drawn = [(title, said, base64.b64encode(png or b"").decode()) for title, said, png in views]
    room = BYTES - len(_as_json(data).encode()) - sum(map(len, (*scripts, markup, *(png for _, _, png in drawn))))
    for group, grids in zip(data["groups"], pictures.shown(comparison.groups, room, left_out), strict=True):
        group["grids"] = grids
    lists = {
        "Runs that did not finish": [f"{run.place}: {run.why}" for run in comparison.failed],
        "Runs that could not be read": [f"{run.place}: {run.why}" for run in comparison.damaged],
        "What was left out": comparison.passed_over + left_out,
    }
    page = jinja2.Template(markup, autoescape=True).render(
        metric=brief(mask(comparison.metric), TEXT),
        higher=comparison.higher_is_better,
        groups=len(comparison.groups),
        runs=sum(len(group.runs) for group in comparison.groups),
        lists=[(title, [brief(mask(text), 2 * TEXT) for text in texts]) for title, texts in lists.items()],
        more_settings=max(len(comparison.settings) - SETTINGS, 0),
        curved=sum(bool(group["curves"]) for group in data["groups"]),
        data=_as_json(mask(data)),
        by=comparison.by,
        summary=[brief(mask(sentence), 2 * TEXT) for sentence in comparison.summary()],
        views=[(brief(mask(title), TEXT), brief(mask(said), 10 * TEXT), png) for title, said, png in drawn],
        effects=[brief(mask(sentence), 2 * TEXT) for sentence in comparison.effects_said()],
        protocol=[(brief(mask(name), TEXT), brief(mask(value), TEXT)) for name, value in _protocol(comparison)],
        compared=brief(mask(", ".join(comparison.settings)), TEXT),
        scripts=scripts,
        policy=_policy(*scripts),
    )
    # The scripts must stay as they were hashed, so only what is of the runs was masked.
    with files.atomic(path) as file:
        file.write(page.encode())


def _protocol(comparison: Comparison) -> list[tuple[str, str]]:
    """Return the fields of the protocol as text, the ranking score's settings among them."""
    fields = dict(comparison.protocol)
    settings = fields.pop("metrics", None)
    own = settings.get(comparison.metric) if isinstance(settings, dict) else None
    if own:
        fields[comparison.metric] = own
    return [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in fields.items()]


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


def _data(comparison: Comparison) -> dict[str, Any]:
    """Return what the page shows; a group has its settings, budgets and curves by their numbers in the lists."""
    settings = comparison.settings[:SETTINGS]
    figures = sorted({name for group in comparison.groups for run in group.runs for name in run.figures})
    groups, curves = [], _Curves(comparison, figures)
    for rank, group in enumerate(comparison.groups, 1):
        groups.append(
            {
                "rank": rank,
                "settings": {
                    i: brief(group.settings[name], TEXT) for i, name in enumerate(settings) if name in group.settings
                },
                "seeds": group.last.n,
                "runs": len(group.runs) + len(group.others),
                "scores": [float(f"{value:.5g}") for value in comparison.scores(group)],
                "ranked": [comparison.ranked(group).mean, comparison.ranked(group).std],
                "interval": t_interval(comparison.scores(group)) if group.runs else None,
                "last": [group.last.mean, group.last.std],
                "best": [group.best.mean, group.best.std],
                "budgets": [
                    group.budget(name) if group.runs else math.nan
                    for name in ("images_seen", *comparison.players, "seconds")
                ],
                "statement": comparison.statement(group),
                "curves": curves.of(group),
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
    chosen = pictures.spread_out(common, points)
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
