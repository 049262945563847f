"""The sample grids of a run and its scores, step by step, as rows of a table."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

SCORE = "eval/"
GRID = re.compile(r"step_(\d+)\.png")
LINE = re.compile(r'\{"step": (\d+), "images_seen": (\d+)')

ROWS = 32
"""The most rows of a table."""

BYTES = 16 * 1024 * 1024
"""The most bytes of its pictures."""


class Row(NamedTuple):
    """A step of which there is a grid.

    Attributes:
        step: the step.
        images_seen: the real images seen until then; None if it is not known.
        picture: the grid's file.
        scores: what the samples of the step scored, by name.
    """

    step: int
    images_seen: int | None
    picture: Path
    scores: dict[str, float]


class SamplesByStep:
    """Gathers grids and scores while a run goes on."""

    def __init__(self) -> None:
        self._pictures: dict[int, Path] = {}
        self._seen: dict[int, int | None] = {}
        self._scores: dict[int, dict[str, float]] = defaultdict(dict)

    def recall(self, folder: Path) -> None:
        """Take up what earlier processes have left in the run's folder."""
        for path in (folder / "samples").glob("step_*.png"):
            if found := GRID.fullmatch(path.name):
                self._pictures[int(found[1])] = path
        try:
            with (folder / "metrics.jsonl").open(errors="replace") as file:
                for line in file:
                    found = LINE.match(line)
                    if found and (int(found[1]) in self._pictures or f'"{SCORE}' in line):
                        self.log(json.loads(line))
        except (OSError, ValueError):
            return  # a table of fewer rows

    def log(self, record: Mapping[str, Any]) -> None:
        """Take up the scores of one line of metrics."""
        scores = {name[len(SCORE) :]: value for name, value in record["metrics"].items() if name.startswith(SCORE)}
        if scores:
            self._scores[record["step"]] |= scores
        if scores or record["step"] in self._pictures:
            self._seen[record["step"]] = record.get("images_seen")

    def image(self, path: Path, record: Mapping[str, Any]) -> None:
        """Take up a grid."""
        self._pictures[record["step"]] = path
        self._seen[record["step"]] = record.get("images_seen")

    def rows(self, last: int, best: int | None = None) -> list[Row]:
        """Return a row for each grid, at most `ROWS`, evenly spaced; the first, the last and the best are among them.

        Args:
            last: the step that the run has come to; grids of later ones are of another past.
            best: the step of the best score, if there is one.
        """
        steps = sorted(step for step, path in self._pictures.items() if step <= last and path.is_file())
        count = ROWS
        while True:
            chosen = _spaced(steps, count, best)
            size = sum(self._pictures[step].stat().st_size for step in chosen)
            if size <= BYTES or not chosen:
                break
            count = min(count, len(chosen)) // 2
        return [
            Row(step, self._seen.get(step), self._pictures[step], dict(self._scores.get(step, {}))) for step in chosen
        ]


def _spaced(steps: list[int], count: int, best: int | None) -> list[int]:
    if len(steps) <= count:
        return steps
    if count < 3:
        return steps[-1:] if count else []
    keeping = best in steps
    even = count - keeping
    chosen = {steps[round(i * (len(steps) - 1) / (even - 1))] for i in range(even)}
    return sorted(chosen | ({best} if keeping and best is not None else set()))
