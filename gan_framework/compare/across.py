"""Groups compared over several data sets, each of which is a value of one setting."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gan_framework.compare import aggregate
from gan_framework.compare.aggregate import Ranking
from gan_framework.compare.differing import named
from gan_framework.compare.groups import Comparison, compare
from gan_framework.compare.records import Damaged, Record
from gan_framework.compare.statistics import Interval
from gan_framework.errors import ConfigError
from gan_framework.storage import files
from gan_framework.storage.numbers import score
from gan_framework.storage.text import brief, visible

TEXT = 300
"""Characters of a group's settings, and of a data set's name."""
BOUNDS = [0.05 * i for i in range(61)]
"""Multiples of the median at which performance profiles are taken."""


@dataclass(frozen=True)
class Across:
    """Groups that were scored on every one of several data sets.

    Attributes:
        key: the setting whose values are the data sets.
        parts: the comparison on each data set.
        names: the settings of each group, the best average rank first.
        scores: of each group, by data set and seed.
        left_out: groups that lack a score on some data set.
    """

    key: str
    parts: dict[str, Comparison]
    names: list[dict[str, str]]
    scores: list[list[list[float]]]
    left_out: list[dict[str, str]]

    @property
    def higher_is_better(self) -> bool:
        """The direction of the scores."""
        return next(iter(self.parts.values())).higher_is_better

    @cached_property
    def ranking(self) -> Ranking:
        """The groups' average ranks."""
        return aggregate.ranking(self.scores, self.higher_is_better)

    @cached_property
    def relative(self) -> list[list[list[float]]] | None:
        """The scores as multiples of their data set's median; None where scores are not all above 0."""
        if any(one <= 0 for group in self.scores for own in group for one in own):
            return None
        return aggregate.relative(self.scores)

    @cached_property
    def middles(self) -> list[tuple[float, Interval | None] | None]:
        """Each group's interquartile mean of multiples of the median, with its interval."""
        if self.relative is None:
            return [None] * len(self.scores)
        return [
            (aggregate.interquartile_mean([one for scores in own for one in scores]), interval)
            for own, interval in zip(self.relative, map(aggregate.interquartile_interval, self.relative), strict=True)
        ]

    def statement(self, group: int) -> str:
        """Say whether a group's average rank differs from the best."""
        if group == 0:
            return "the best average rank"
        apart = self.ranking.ranks[group] - self.ranking.ranks[0]
        if apart >= self.ranking.critical:
            return f"worse than the best by {apart:.3g} ranks (critical difference {self.ranking.critical:.3g})"
        critical = f"critical difference {self.ranking.critical:.3g}"
        return f"not significantly different from the best ({apart:.3g} ranks, {critical})"


def over(runs: Iterable[Record | Damaged], key: str, metric: str | None, by: str) -> Across:
    """Compare groups over the data sets that are the values of a setting.

    Args:
        runs: runs on all data sets.
        key: the setting, as `data.name`.
        metric: the score that ranks; by default each data set's most usual.
        by: `last` or `best`.

    Raises:
        ConfigError: fewer than two values, or fewer than two groups with scores on all of them; or see `compare`.
    """
    lots: dict[str, list[Record]] = {}
    for run in runs:
        if isinstance(run, Record):
            lots.setdefault(run.settings.get(key, "not set"), []).append(run)
    if len(lots) < 2:
        known = ", ".join(brief(value, TEXT) for value in lots)
        raise ConfigError(f"--over {visible(key)}: all runs have the same value of it ({known}); name one that differs")
    parts = {value: compare(own, metric, by) for value, own in lots.items()}
    if len({part.metric for part in parts.values()}) > 1:
        chosen = ", ".join(sorted({visible(part.metric) for part in parts.values()}))
        raise ConfigError(
            f"--over {visible(key)}: the data sets are ranked by different scores ({chosen}); say --metric"
        )
    names = _swept(parts, f"{key.partition('.')[0]}.")
    found: dict[frozenset[tuple[str, str]], dict[str, list[float]]] = {}
    for value, part in parts.items():
        for group in part.groups:
            if not group.runs:
                continue
            own = group.runs[0].settings
            identity = frozenset((name, own[name]) for name in names if name in own)
            if value in found.setdefault(identity, {}):
                raise ConfigError(
                    f"--over {visible(key)}: of {brief(value, TEXT)} there are several groups that only settings of "
                    f"the data tell apart ({brief(named(group.settings), TEXT)} is one): choose among them by a "
                    "condition"
                )
            found[identity][value] = part.scores(group)
    whole = {identity: [*scores.values()] for identity, scores in found.items() if len(scores) == len(parts)}
    if len(whole) < 2:
        raise ConfigError(
            f"--over {visible(key)}: {len(whole) or 'none'} of the groups has scores on all {len(parts)} data sets, "
            "and two are the least; groups are alike whose swept settings are"
        )
    higher = next(iter(parts.values())).higher_is_better
    scores = [*whole.values()]
    ranks = aggregate.ranking(scores, higher).ranks
    order = sorted(range(len(scores)), key=ranks.__getitem__)
    settings = [dict(sorted(identity)) for identity in whole]
    left_out = [dict(sorted(identity)) for identity in found.keys() - whole.keys()]
    return Across(key, parts, [settings[i] for i in order], [scores[i] for i in order], left_out)


def _swept(parts: Mapping[str, Comparison], section: str) -> list[str]:
    """Return the settings that tell groups apart on all data sets.

    Those of the data's own section are among them where they differ on one data set and have a value there that they
    have on another too (`data.flip`, not `data.path`).
    """
    runs = {value: [run for group in part.groups for run in group.runs] for value, part in parts.items()}

    def is_shared(name: str) -> bool:
        sets = [{run.settings[name] for run in own if name in run.settings} for own in runs.values()]
        return any(one & other for one, other in combinations(sets, 2))

    names = dict.fromkeys(name for part in parts.values() for name in part.settings)
    return [name for name in names if not name.startswith(section) or is_shared(name)]


def show(across: Across, console: Console) -> None:
    """Print the groups by their average rank, with the interquartile mean where scores are above 0."""
    direction = "higher" if across.higher_is_better else "lower"
    title = Text(
        f"over {len(across.parts)} values of {brief(across.key, TEXT)} ({direction} is better)", style="italic"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("settings", overflow="fold", min_width=12)
    for name in ("average rank", "interquartile mean, times the median"):
        table.add_column(name, justify="right")
    table.add_column("verdict", overflow="fold", min_width=12)
    for row in rows(across):
        table.add_row(*map(Text, row))
    console.print(table)
    if across.ranking.p is not None:
        console.print(Text(f"All groups alike: p = {across.ranking.p:.2g} (Friedman's test of the ranks)."))
    for settings in across.left_out:
        console.print(Text(f"{brief(named(settings), TEXT)}: left out, for it lacks a score on some of them"))


def rows(across: Across) -> list[list[str]]:
    """Return the table: settings, average rank, interquartile mean with its interval, verdict."""
    return [
        [brief(named(name), TEXT), f"{across.ranking.ranks[i]:.3g}", _middle(across, i), across.statement(i)]
        for i, name in enumerate(across.names)
    ]


def as_plain(across: Across) -> dict[str, Any]:
    """Return what programs read of it; what is not known is None."""
    relative = across.relative
    return {
        "over": across.key,
        "data_sets": list(across.parts),
        "metric": next(iter(across.parts.values())).metric,
        "higher_is_better": across.higher_is_better,
        "critical_difference": across.ranking.critical,
        "friedman_p": across.ranking.p,
        "profile_bounds": BOUNDS,
        "groups": [
            {
                "settings": name,
                "average_rank": across.ranking.ranks[i],
                "scores": dict(zip(across.parts, across.scores[i], strict=True)),
                "interquartile_mean": middle[0] if middle else None,
                "interval": list(middle[1]) if middle and middle[1] else None,
                "profile": aggregate.profile(relative[i], BOUNDS, across.higher_is_better) if relative else None,
            }
            for i, (name, middle) in enumerate(zip(across.names, across.middles, strict=True))
        ],
    }


def write_json(across: Across, path: Path) -> None:
    """Write `as_plain`.

    Raises:
        OSError: the file cannot be written; it names the file.
    """
    files.write_text(path, json.dumps(files.finite(as_plain(across)), indent=1) + "\n")


def _middle(across: Across, group: int) -> str:
    found = across.middles[group]
    if found is None:
        return ""
    mean, interval = found
    return f"{score(mean)} ({score(interval.low)} to {score(interval.high)})" if interval else score(mean)
