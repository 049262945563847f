"""The page of what every experiment comes to in a short time."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from evidence.comparison import spread

Line = Mapping[str, Any]

INTRODUCTION = """# Every experiment

Written by `python benchmarks/experiments.py` from `docs/results/experiments.csv`: each experiment as it is,
`python run.py experiment=NAME`, on its own data, stopped after {seconds} s, its start included (of processor time where
it ran on a CPU), and scored by its own metrics with 2,000 samples against up to 5,000. {shared}
The papers train up to a thousand times as long, so the figures say that a system runs and which way it goes, and not
what it comes to: *untrained* is what the weights that it began with score, *real* what held-out samples, *noise* what
noise does. The first score that ranks stands here, the others in the record; an arrow says whether more or less is
better. So early, some scores get worse before they get better.

| `experiment=` | steps | of | score | untrained | trained | real | noise | seeds |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


def page(lines: Sequence[Line]) -> str:
    """Return the page of a record's lines."""
    where = sorted({line["on"] for line in lines})
    seconds = sorted({float(line["seconds"]) for line in lines})
    shared = f"Several ran at once, on {' or on '.join(where)}." if where else ""
    *others, last = (f"{value:g}" for value in seconds)
    lengths = f"{', '.join(others)} or {last}" if others else last
    text = INTRODUCTION.format(seconds=lengths, shared=shared)
    named = groupby(sorted(lines, key=lambda line: line["run"]), key=lambda line: line["run"])
    return text + "".join(f"{row(name, [*found])}\n" for name, found in named)


def row(name: str, lines: Sequence[Line]) -> str:
    """Return the row of an experiment: its first score that ranks, over its seeds."""
    first = lines[0]["score"]
    same = [line for line in lines if line["score"] == first]
    steps = f"{statistics.mean(int(line['steps']) for line in same):,.0f}"
    arrow = {"higher": " ↑", "lower": " ↓", "": ""}[first and same[0]["better"]]
    figures = [_figure(same, column) for column in ("untrained", "trained", "real", "noise")]
    return f"| `{name}` | {steps} | {int(same[0]['of']):,} | {first}{arrow} | {' | '.join(figures)} | {len(same)} |"


def _figure(lines: Sequence[Line], column: str) -> str:
    values = [float(line[column]) for line in lines if line[column]]
    if len(values) == 1 and abs(values[0]) >= 1000:
        return f"{values[0]:,.0f}"
    return spread(values) if values else ""
