"""Runs whose scores were measured alike, apart from those that were measured in another way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gan_framework.compare.records import Damaged, Record
from gan_framework.evaluation.protocol import differences
from gan_framework.storage.text import brief

SHOWN = 200
"""Characters of a protocol's field and of its values that are said."""

DATA = ("data", "evaluate", "extractor")
"""The settings by which a run without a score finds the part that it belongs to."""


@dataclass
class Part:
    """Runs that can be ranked among each other.

    Attributes:
        runs: the runs, those without a score and those that could not be read among them.
        differs: the fields of the protocol in which the scores differ from the first part's, with both values.
    """

    runs: list[Record | Damaged] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)


def divide(runs: Iterable[Record | Damaged], metric: str | None = None) -> list[Part]:
    """Return the parts of a mixed lot of runs, the one with the most scored runs first.

    Args:
        runs: any runs.
        metric: the score that ranks; by default the one by which each run's best checkpoint was chosen.

    Returns:
        One part at least; runs without a score are in the part of the same data and evaluation, else in the first.
    """
    scored: list[list[Record]] = []
    rest: list[Record | Damaged] = []
    for run in runs:
        if isinstance(run, Damaged) or _ranked(run, metric) is None:
            rest.append(run)
            continue
        for others in scored:
            if not _differing(others[0], run, metric):
                others.append(run)
                break
        else:
            scored.append([run])
    if not scored:
        return [Part(rest)]
    scored.sort(key=len, reverse=True)
    parts = [Part([*members]) for members in scored]
    for run in rest:
        _home(run, scored, parts).runs.append(run)
    for part, members in zip(parts[1:], scored[1:], strict=True):
        part.differs = _differing(scored[0][0], members[0], metric)
    return parts


def _ranked(run: Record, metric: str | None) -> str | None:
    """Return the score that a run is ranked by; None if it has none."""
    best = run.summary.get("best")
    if not run.finished or not best:
        return None
    name: str = metric or best["metric"]
    return name if (run.summary.get("metrics") or {}).get(f"eval/{name}") is not None else None


def _differing(one: Record, other: Record, metric: str | None) -> list[str]:
    """Return the fields in which the protocols of two scored runs differ, with both values."""
    own, theirs = _ranked(one, metric), _ranked(other, metric)
    a, b = one.summary["protocol"], other.summary["protocol"]
    if own != theirs:
        return [f"score ({own} and {theirs})"]
    return [
        f"{brief(name, SHOWN)} ({_shown(a.get(name))} and {_shown(b.get(name))})" for name in differences(a, b, own)
    ]


def _shown(value: object) -> str:
    return brief(f"{value:.6g}" if isinstance(value, float) else str(value), SHOWN)


def _home(run: Record | Damaged, scored: list[list[Record]], parts: list[Part]) -> Part:
    if isinstance(run, Record):
        own = [run.config.get(name) for name in DATA]
        for members, part in zip(scored, parts, strict=True):
            if [members[0].config.get(name) for name in DATA] == own:
                return part
    return parts[0]
