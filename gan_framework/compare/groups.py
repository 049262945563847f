"""Groups of runs that differ in their seed alone, and their ranks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import NamedTuple

from gan_framework.compare.records import Record
from gan_framework.errors import ConfigError
from gan_framework.evaluation.protocol import differences


class Spread(NamedTuple):
    """Mean and standard deviation (n - 1 in the denominator; NaN for one value) of n values."""

    mean: float
    std: float
    n: int

    def __str__(self) -> str:
        spread = f" ± {self.std:.3g}" if self.n > 1 else ""
        return f"{self.mean:.4g}{spread}"


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed alone.

    Attributes:
        settings: those in which the compared groups differ, with this group's values.
        runs: the runs that finished and were scored, one for each seed.
        others: the runs that were not, and those that only repeat a seed.
        last: the last score over the seeds.
        best: the best score of each run over the seeds.
    """

    settings: dict[str, str]
    runs: list[Record]
    others: list[Record]
    last: Spread
    best: Spread

    @property
    def name(self) -> str:
        """The settings in one line."""
        return ", ".join(f"{key}={value}" for key, value in self.settings.items()) or "all settings equal"

    def budget(self, name: str) -> float:
        """Return the mean of a figure of the summaries: `images_seen`, `seconds`, or a player's updates."""
        values = [
            run.summary["updates"].get(name) if name not in run.summary else run.summary[name] for run in self.runs
        ]
        return fmean(value for value in values if value is not None) if any(v is not None for v in values) else math.nan


@dataclass(frozen=True)
class Comparison:
    """Ranked groups.

    Attributes:
        metric: the score that ranks.
        by: which of a run's scores ranks it: `last` or `best`.
        higher_is_better: its direction.
        groups: best first; groups without a scored run come last.
        failed: all runs that did not finish.
    """

    metric: str
    by: str
    higher_is_better: bool
    groups: list[Group]
    failed: list[Record]

    @property
    def settings(self) -> list[str]:
        """The settings in which the groups differ."""
        return list(dict.fromkeys(name for group in self.groups for name in group.settings))

    @property
    def players(self) -> list[str]:
        """All players' names, in the order in which they were met."""
        return list(dict.fromkeys(name for g in self.groups for run in g.runs for name in run.summary["updates"]))

    def ranked(self, group: Group) -> Spread:
        """Return the scores that a group is ranked by."""
        return group.best if self.by == "best" else group.last

    def statement(self, group: Group) -> str:
        """Say what the difference to the first group is worth."""
        if not group.runs:
            return "no run was scored" if any(run.finished for run in group.others) else "no run finished"
        first, own = self.ranked(self.groups[0]), self.ranked(group)
        if group is self.groups[0]:
            return "the best" if own.n > 1 else "the best; one seed, so no spread is known"
        difference = abs(own.mean - first.mean)
        spreads = [spread for spread in (own.std, first.std) if not math.isnan(spread)]
        if len(spreads) < 2:
            return "one seed, so no spread is known"
        if max(spreads) >= difference:
            return (
                f"not significantly different from the best: the spread over seeds ({max(spreads):.3g}) is not smaller "
                f"than the difference ({difference:.3g})"
            )
        return f"worse than the best by {difference:.3g}"


def compare(records: Iterable[Record], metric: str | None = None, by: str = "last") -> Comparison:
    """Group runs by everything except the seed and rank the groups.

    Args:
        records: the runs.
        metric: the score that ranks; by default the one that the runs' best checkpoints were chosen by.
        by: `last` or `best` score of each run.

    Raises:
        ConfigError: no run was scored, the metric is unknown, or scores have different protocols.
    """
    records = list(records)
    scored = [run for run in records if run.finished and run.summary.get("best")]
    if not scored:
        reasons = sorted({run.why for run in records if not run.finished}) or ["all finished without a score"]
        raise ConfigError(f"none of the {len(records)} runs was finished and scored; {'; '.join(reasons[:3])}")
    metric = metric or scored[0].summary["best"]["metric"]
    higher = _direction(scored, metric)
    _require_one_protocol([run for run in scored if _score(run, metric) is not None], metric)

    members: dict[frozenset[tuple[str, str]], list[Record]] = defaultdict(list)
    for run in records:
        members[frozenset(run.settings.items())].append(run)  # W&B sorts settings by their names
    settings = [runs[0].settings for runs in members.values()]
    names = differing(settings)
    groups = [
        _group({name: own[name] for name in names if name in own}, runs, metric, higher)
        for own, runs in zip(settings, members.values(), strict=True)
    ]
    comparison = Comparison(metric, by, higher, groups, [run for run in records if not run.finished])
    sign = -1 if higher else 1
    value: Callable[[Group], float] = lambda group: comparison.ranked(group).mean  # noqa: E731
    groups.sort(key=lambda group: math.inf if math.isnan(value(group)) else sign * value(group))
    return comparison


def _group(settings: dict[str, str], runs: list[Record], metric: str, higher: bool) -> Group:
    name = f"eval/{metric}"
    finished = [run for run in runs if run.finished and _score(run, metric) is not None]
    # A seed that was run twice came to the same twice, and says nothing about the spread.
    scored = list({run.config.get("seed"): run for run in finished}.values())
    others = [run for run in runs if not any(run is one for one in scored)]
    choose = max if higher else min
    last = [run.summary["metrics"][name] for run in scored]
    best = [choose([value for _, value in run.curves.get(name, [])] + [run.summary["metrics"][name]]) for run in scored]
    return Group(settings, scored, others, spread(last), spread(best))


def _score(run: Record, metric: str) -> float | None:
    score: float | None = run.summary["metrics"].get(f"eval/{metric}")
    return score


def spread(values: list[float]) -> Spread:
    """Return mean and standard deviation of values."""
    mean = fmean(values) if values else math.nan
    return Spread(mean, stdev(values) if len(values) > 1 else math.nan, len(values))


def _direction(scored: list[Record], metric: str) -> bool:
    for run in scored:
        directions: dict[str, bool] = run.summary.get("higher_is_better", {})
        if metric in directions:
            return directions[metric]
    known = sorted({name for run in scored for name in run.summary.get("higher_is_better", {})})
    raise ConfigError(f"--metric {metric}: the runs have no such score; they have {', '.join(known)}")


def _require_one_protocol(scored: list[Record], metric: str) -> None:
    first = scored[0]
    for run in scored[1:]:
        fields = differences(first.summary["protocol"], run.summary["protocol"], metric)
        if fields:
            theirs = [
                f"{field} ({first.summary['protocol'].get(field)} and {run.summary['protocol'].get(field)})"
                for field in fields
            ]
            raise ConfigError(
                f"{metric} was measured in different ways and cannot be ranked: {first.place} and {run.place} differ "
                f"in {', '.join(theirs)}; runs can be ranked whose data, evaluate, extractor and metrics are alike"
            )


def differing(settings: list[dict[str, str]]) -> list[str]:
    """Return the settings in which groups differ, but those that follow from the choice of their plugin."""
    names = dict.fromkeys(name for one in settings for name in one)
    found = [name for name in names if len({one.get(name) for one in settings}) > 1]
    return [name for name in found if not any(_follows(name, choice, settings) for choice in found)]


def _follows(name: str, choice: str, settings: list[dict[str, str]]) -> bool:
    """Return whether a setting of a plugin (`loss.weight_clip`) always has one value for each choice (`loss.name`)."""
    if name == choice or not name.startswith(choice.removesuffix("name").rstrip(".") + "."):
        return False
    values: dict[str | None, set[str | None]] = defaultdict(set)
    for one in settings:
        values[one.get(choice)].add(one.get(name))
    return all(len(found) == 1 for found in values.values())
