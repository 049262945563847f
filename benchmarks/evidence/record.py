"""A record of runs: a CSV file with a line for each, which is written when the run has ended."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from evidence.job import Outcome


class Found(NamedTuple):
    """What one run came to: its scores by name, none if it failed, and its CPU time in seconds."""

    scores: dict[str, float]
    cpu_seconds: float


Record = dict[tuple[str, int], Found]
"""Runs by name and seed."""


@dataclass(frozen=True)
class RecordFile:
    """The file of a benchmark's runs.

    Attributes:
        path: of the file.
        scores: the scores that it has columns for.
    """

    path: Path
    scores: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return ("run", "seed", "status", *self.scores, "cpu_seconds")

    def read(self) -> Record:
        """Return the runs that have a line; one that a kill cut short is none."""
        if not self.path.exists():
            return {}
        text = self.path.read_text()
        whole = text[: text.rfind("\n") + 1]
        return {
            (line["run"], int(line["seed"])): Found(
                {score: float(line[score]) for score in self.scores if line.get(score)}, float(line["cpu_seconds"])
            )
            for line in csv.DictReader(io.StringIO(whole))
        }

    def add(self, name: str, seed: int, outcome: Outcome) -> None:
        """Add the line of a run; one that was stopped or refused gets none, so that it is made another time."""
        if outcome.status == "stopped":
            return
        if outcome.status == "refused":
            print(f"{name}, seed {seed} was refused:\n{outcome.output}", flush=True)
            return
        values = [outcome.scores.get(score, "") for score in self.scores]
        line = io.StringIO()
        writer = csv.writer(line, lineterminator="\n")
        old = self.path.read_bytes() if self.path.exists() else b""
        whole = old[: old.rfind(b"\n") + 1]
        if whole != old:  # cut short by a kill
            self.path.write_bytes(whole)
        if not whole:
            writer.writerow(self.columns)
        writer.writerow([name, seed, outcome.status, *values, outcome.cpu_seconds])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", newline="") as file:
            file.write(line.getvalue())
