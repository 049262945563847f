"""Groups of runs that differ in their seed alone, and their ranks."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gan_framework.compare.conditions import Described, condition
from gan_framework.compare.differing import differing, named
from gan_framework.compare.effects import Effects, main_effects
from gan_framework.compare.figures import is_number
from gan_framework.compare.records import Damaged, Record
from gan_framework.compare.sentences import SAID, effect, resting_on, tests_used
from gan_framework.compare.spread import Spread, mean, spread
from gan_framework.compare.verdict import Question, Verdicts
from gan_framework.errors import ConfigError
from gan_framework.evaluation.protocol import differences
from gan_framework.storage.text import brief, visible

BUDGETS = ("images_seen", "seconds")
"""What a run has used, beside its players' updates."""


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed alone.

    Attributes:
        settings: those in which the compared groups differ, with this group's values.
        runs: the runs that finished and were scored, one for each seed.
        others: the runs that were not, and those that only repeat a seed.
        lasts: the last score of each of `runs`.
        bests: the best score of each of `runs`.
    """

    settings: dict[str, str]
    runs: list[Record]
    others: list[Record]
    lasts: list[float]
    bests: list[float]

    @cached_property
    def last(self) -> Spread:
        """The last score over the seeds."""
        return spread(self.lasts)

    @cached_property
    def best(self) -> Spread:
        """The best score of each run over the seeds."""
        return spread(self.bests)

    @property
    def name(self) -> str:
        """The settings in one line."""
        return named(self.settings)

    def budget(self, name: str) -> float:
        """Return the mean of a figure of the summaries: `images_seen`, `seconds`, or a player's updates."""
        found = [run.summary.get(name) if name in BUDGETS else run.updates.get(name) for run in self.runs]
        return mean([value for value in found if value is not None])


@dataclass(frozen=True)
class Comparison:
    """Ranked groups.

    Attributes:
        metric: the score that ranks.
        by: which of a run's scores ranks it: `last` or `best`.
        higher_is_better: its direction.
        groups: best first; groups without a scored run come last.
        failed: all runs that did not finish.
        damaged: all runs that could not be read.
        passed_over: what in the runs' folders was not read, and why.
        question: what is asked of the groups.
    """

    metric: str
    by: str
    higher_is_better: bool
    groups: list[Group]
    failed: list[Record]
    damaged: list[Damaged]
    passed_over: list[str]
    question: Question = Question()

    @property
    def settings(self) -> list[str]:
        """The settings in which the groups differ."""
        return list(dict.fromkeys(name for group in self.groups for name in group.settings))

    @property
    def players(self) -> list[str]:
        """All players' names, in the order in which they were met."""
        return list(dict.fromkeys(name for g in self.groups for run in g.runs for name in run.updates))

    def scores(self, group: Group) -> list[float]:
        """Return the score of each seed that a group is ranked by."""
        return group.bests if self.by == "best" else group.lasts

    def ranked(self, group: Group) -> Spread:
        """Return the scores that a group is ranked by."""
        return group.best if self.by == "best" else group.last

    @cached_property
    def verdicts(self) -> Verdicts:
        """What may be said of the groups."""
        return Verdicts([self.scores(group) for group in self.groups], self.higher_is_better, self.question)

    @cached_property
    def effects(self) -> Effects:
        """What each swept setting does by itself, over all seeds of all groups."""
        rows = [(group.settings, score) for group in self.groups for score in self.scores(group)]
        return main_effects([own for own, _ in rows], [score for _, score in rows], self.higher_is_better)

    @property
    def protocol(self) -> Mapping[str, object]:
        """How the scores were measured, which all of them have in common."""
        first = next(run for group in self.groups for run in group.runs)
        protocol: Mapping[str, object] = first.summary["protocol"]
        return protocol

    def statement(self, group: Group) -> str:
        """Say what the difference to the best group, or to the baseline, is worth."""
        if not group.runs:
            return "no run has a score" if any(run.finished for run in group.others) else "no run finished"
        return self.verdicts.statement(next(i for i, one in enumerate(self.groups) if one is group))

    def effects_said(self) -> list[str]:
        """Say a sentence for each setting's main effect, and what they rest on; nothing where one setting differs."""
        effects = self.effects
        return [effect(name, levels) for name, levels in effects.levels.items()] + (
            [resting_on(effects)] if effects.levels else []
        )

    def summary(self) -> list[str]:
        """Say which group is better, whether that is sure, and how it was found, a sentence each."""
        scored = [group for group in self.groups if group.runs]
        if len(scored) < 2:
            return []
        best = self.groups[self.verdicts.reference]
        known = "is the best" if self.question.baseline is None else "is the baseline"
        others = [found for group, found in zip(self.groups, self.verdicts.found, strict=True) if group.runs]
        tested = [found for found in others if found is not None]
        said = [f"{brief(visible(best.name), SAID)} {known}: {self.metric} {self.ranked(best)}"]
        if not tested:
            said.append("with one seed per group, differences cannot be tested: run at least 3 (seed=0,1,2)")
        else:
            sure = sum(found.sure for found in tested)
            said.append(f"{sure} of {len(tested)} other groups differ from it significantly (5%)")
            said.append(tests_used(self.verdicts))
        if self.by == "best":
            said.append(
                "a best score is the most of several: runs that were scored more often look better than they are"
            )
        return said


def compare(
    runs: Iterable[Record | Damaged],
    metric: str | None = None,
    by: str = "last",
    *,
    baseline: Sequence[str] = (),
    paired: bool = False,
    detect: float | None = None,
) -> Comparison:
    """Group runs by everything except the seed and rank the groups.

    Args:
        runs: the runs; those that could not be read are left out, and named in what is returned.
        metric: the score that ranks; by default the one that most runs' best checkpoints were chosen by.
        by: `last` or `best` score of each run.
        baseline: conditions that the group meets which the others are compared with; without any, the best.
        paired: whether scores of the same seed belong together.
        detect: the difference that the seeds needed are named for; None for the one that was found.

    Raises:
        ConfigError: no run was scored, the metric is unknown, scores have different protocols, not one group is the
            baseline, or paired groups have different seeds.
    """
    runs = list(runs)
    records = [run for run in runs if isinstance(run, Record)]
    damaged = [run for run in runs if isinstance(run, Damaged)]
    if not records:
        reasons = [brief(f"{run.place}: {run.why}", SAID) for run in damaged[:3]]
        raise ConfigError(f"none of the {len(runs)} runs can be read; {'; '.join(reasons)}")
    scored = [run for run in records if run.finished and run.summary.get("best")]
    if not scored:
        reasons = sorted({brief(run.why, SAID) for run in records if not run.finished}) or [
            "all finished without a score"
        ]
        left_out = f"; {len(damaged)} more cannot be read" if damaged else ""
        raise ConfigError(
            f"none of the {len(records)} runs has finished with a score; {'; '.join(reasons[:3])}{left_out}"
        )
    metric = metric or _most(run.summary["best"]["metric"] for run in scored)
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
    failed = [run for run in records if not run.finished]
    passed_over = [f"{run.place}: {text}" for run in records for text in run.passed_over]
    sign = -1 if higher else 1
    value: Callable[[Group], float] = lambda group: (group.best if by == "best" else group.last).mean  # noqa: E731
    groups.sort(key=lambda group: math.inf if math.isnan(value(group)) else sign * value(group))
    if paired:
        _require_same_seeds(groups)
    question = Question(_numbered(groups, baseline) if baseline else None, paired, detect)
    return Comparison(metric, by, higher, groups, failed, damaged, passed_over, question)


def _numbered(groups: list[Group], baseline: Sequence[str]) -> int:
    """Return the number of the scored group that meets the conditions on a baseline."""
    asked = [condition(text) for text in baseline]
    found = [
        i
        for i, group in enumerate(groups)
        if group.runs and all(one.admits(Described(group.runs[0].config, "finished")) for one in asked)
    ]
    if len(found) != 1:
        known = "; ".join(brief(group.name, SAID) for group in groups[:3])
        raise ConfigError(
            f"--baseline {visible(' '.join(baseline))} is true of {len(found) or 'none'} of the groups, and must be of "
            f"one of these: {known}"
        )
    return found[0]


def _require_same_seeds(groups: list[Group]) -> None:
    """Raise ConfigError if scored groups have different seeds."""
    scored = [group for group in groups if group.runs]
    seeds = [[run.config.get("seed") for run in group.runs] for group in scored]
    for group, own in zip(scored, seeds, strict=True):
        if own != seeds[0]:
            raise ConfigError(
                f"--paired: {brief(scored[0].name, SAID)} has the seeds {brief(str(seeds[0]), SAID)}, and "
                f"{brief(group.name, SAID)} has {brief(str(own), SAID)}; runs are paired by the same seeds"
            )


def _group(settings: dict[str, str], runs: list[Record], metric: str, higher: bool) -> Group:
    name = f"eval/{metric}"
    finished = [run for run in runs if run.finished and _score(run, metric) is not None]
    # A seed that was run twice came to the same twice, and says nothing about the spread.
    by_seed = {run.config.get("seed"): run for run in finished}
    scored = [by_seed[seed] for seed in sorted(by_seed, key=lambda seed: (str(type(seed)), seed))]
    others = [run for run in runs if not any(run is one for one in scored)]
    choose = max if higher else min
    last = [run.summary["metrics"][name] for run in scored]
    best = [choose([score, *_reached(run, metric)]) for run, score in zip(scored, last, strict=True)]
    return Group(settings, scored, others, last, best)


def _score(run: Record, metric: str) -> float | None:
    score: float | None = (run.summary.get("metrics") or {}).get(f"eval/{metric}")
    return score


def _reached(run: Record, metric: str) -> list[float]:
    """Return what the best score of a run is among, beside its last one.

    The score by which it chose its best checkpoint is known, of the present protocol: a resumed run may have earlier
    scores that were measured in another way. Of others, the least and the greatest value that there ever was.
    """
    best = run.summary.get("best") or {}
    if best.get("metric") == metric and is_number(best.get("value")):
        return [best["value"]]
    figure = run.figures.get(f"eval/{metric}")
    return [figure.least, figure.greatest] if figure is not None else []


def _most(names: Iterable[str]) -> str:
    """Return the name that stands there most often, the first of several."""
    return Counter(names).most_common(1)[0][0]


def _direction(scored: list[Record], metric: str) -> bool:
    """Return whether higher is better, as most of the runs say."""
    directions = [run.summary.get("higher_is_better") or {} for run in scored]
    votes: Counter[bool] = Counter(found[metric] for found in directions if metric in found)
    if votes:
        return votes.most_common(1)[0][0]
    known = sorted({name for found in directions for name in found})
    meant = [name for name in known if name.startswith(f"{metric}_")]  # by every extractor that the runs have
    hint = f"did you mean {' or '.join(meant)}?" if meant else f"they have {brief(', '.join(known), SAID)}"
    raise ConfigError(f"--metric {metric}: the runs have no such score; {hint}")


def _require_one_protocol(scored: list[Record], metric: str) -> None:
    first = scored[0]
    for run in scored[1:]:
        fields = differences(first.summary["protocol"], run.summary["protocol"], metric)
        if fields:
            theirs = [
                f"{field} ({first.summary['protocol'].get(field)} and {run.summary['protocol'].get(field)})"
                for field in fields
            ]
            places = f"{visible(first.place)} and {visible(run.place)}"
            raise ConfigError(
                f"{visible(metric)} was measured in different ways and cannot be ranked: {places} differ "
                f"in {brief(', '.join(theirs), SAID)}; runs can be ranked whose data, evaluate, "
                "extractor and metrics are alike"
            )
