"""What a difference between two groups is worth, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, variance

from gan_framework.compare.statistics import (
    MOST_SEEDS,
    Difference,
    differences,
    paired_differences,
    seeds_needed,
)
from gan_framework.storage.numbers import NOTHING, score

LARGEST = 1e100
"""Scores beyond are no scores: their squares are no floats."""


@dataclass(frozen=True)
class Question:
    """What is asked of the groups.

    Attributes:
        baseline: the number of the group that the others are compared with; None for the best of them.
        paired: whether scores of the same seed belong together.
        detect: the difference that the seeds needed are named for; None for the one that was found.
    """

    baseline: int | None = None
    paired: bool = False
    detect: float | None = None


@dataclass(frozen=True)
class Verdicts:
    """What may be said of groups, the best first, in answer to a question.

    Attributes:
        scores: of each group, one for each seed.
        higher_is_better: their direction.
        question: what is asked.
        found: each group's difference to the one it is compared with; None where there is nothing to be said.
    """

    scores: Sequence[Sequence[float]]
    higher_is_better: bool
    question: Question
    found: list[Difference | None] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "found", self._differences())

    @property
    def reference(self) -> int:
        """The number of the group that the others are compared with."""
        return self.question.baseline if self.question.baseline is not None else 0

    @property
    def comparisons(self) -> int:
        """How many comparisons the intervals and p-values are adjusted for."""
        groups = sum(len(group) > 1 for group in self.scores)
        return max(groups - 1, 0) if self.question.baseline is not None else groups * (groups - 1) // 2

    @property
    def method(self) -> str:
        """The test's name."""
        name = "Tukey" if self.question.baseline is None else "Dunnett"
        return f"{name}, paired by seed" if self.question.paired else name

    def statement(self, group: int) -> str:
        """Say what a group's difference to the reference is worth."""
        own, seeds = self.scores[group], len(self.scores[group])
        known = "the best" if self.question.baseline is None else "the baseline"
        if group == self.reference:
            return known if seeds > 1 else f"{known} (n=1)"
        found = self.found[group]
        if found is None:
            few = seeds if seeds < 2 else len(self.scores[self.reference])
            return f"n={few}: no test" if few < 2 else "no test of scores this large"
        of = f"95% interval {{}} to {{}}, {self.method}, {sum(bool(one) for one in self.scores)} groups, {seeds} seeds"
        if found.sure:
            better = (found.estimate > 0) == self.higher_is_better
            low, high = sorted((abs(found.low), abs(found.high)))
            return (
                f"{'better' if better else 'worse'} than {known} by {deviating(abs(found.estimate))} "
                f"({of.format(deviating(low), deviating(high))})"
            )
        ends = (found.low, found.high) if found.estimate >= 0 else (-found.high, -found.low)
        said = of.format(*map(deviating, ends))
        difference = deviating(abs(found.estimate))
        return f"not significantly different from {known} (difference {difference}, {said}){self._wanted(own, found)}"

    def _wanted(self, own: Sequence[float], found: Difference) -> str:
        difference = self.question.detect or abs(found.estimate)
        if not difference:
            return ""
        other = self.scores[self.reference]
        spread = math.sqrt(
            variance([a - b for a, b in zip(own, other, strict=True)]) / 2
            if self.question.paired
            else fmean([variance(own), variance(other)])
        )
        seeds = seeds_needed(difference, spread, max(sum(len(group) > 1 for group in self.scores), 2))
        many = f"more than {MOST_SEEDS}" if seeds is None else str(max(seeds, len(own) + 1))
        return f": {many} seeds each would show a difference of {deviating(difference)}"

    def _differences(self) -> list[Difference | None]:
        asked = [i for i, group in enumerate(self.scores) if group and all(abs(score) < LARGEST for score in group)]
        result: list[Difference | None] = [None] * len(self.scores)
        if self.reference in asked:
            compare = paired_differences if self.question.paired else differences
            scores, before = [self.scores[i] for i in asked], self.question.baseline is not None
            for i, found in zip(asked, compare(scores, asked.index(self.reference), before), strict=True):
                result[i] = found
        return result


def deviating(value: float) -> str:
    """Return a deviation or a difference as it is shown, to three digits: `0.589`, `1.2e-05`, `12346`."""
    shown = f"{value:.3g}"
    return score(value) if "e+" in shown or abs(value) < NOTHING else shown
