"""The best score of a run so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


class Best:
    """The best score so far; its checkpoint is kept as `best.pt`.

    Args:
        ranking: for each score that ranks runs, whether higher is better.
        metric: the score that counts; None for the first that ranks.

    Attributes:
        found: `metric`, `step`, `value` and `higher_is_better`; empty before the first score.
    """

    def __init__(self, ranking: Mapping[str, bool], metric: str | None) -> None:
        self._ranking = ranking
        self._metric = metric or next(iter(ranking), None)
        self.found: dict[str, Any] = {}

    @property
    def metric(self) -> str | None:
        """The name of the score that counts; None if nothing ranks."""
        return self._metric

    def consider(self, scores: Mapping[str, float], step: int) -> bool:
        """Take up the scores of a step, and return whether they are the best so far."""
        name = self._metric
        if name is None:
            return False
        value = scores[name]
        if self.found and self.found["metric"] != name:
            self.found = {}
        before = self.found.get("value", value)
        better = not self.found or (value > before if self._ranking[name] else value < before)
        if not better or not math.isfinite(value):
            return False
        self.found = {"metric": name, "step": step, "value": value, "higher_is_better": self._ranking[name]}
        return True
