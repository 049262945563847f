"""A record of measurements: a CSV file of lines that are added as they are made."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path


def read(record: Path) -> list[dict[str, str]]:
    """Return the lines of a record; none where there is no file."""
    if not record.exists():
        return []
    with record.open(newline="") as file:
        return [*csv.DictReader(file)]


def add(record: Path, columns: Sequence[str], lines: Iterable[Mapping[str, object]]) -> None:
    """Add lines to a record, which a new one begins with the names of the columns."""
    record.parent.mkdir(parents=True, exist_ok=True)
    new = not record.exists()
    with record.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(lines)
        file.flush()
        os.fsync(file.fileno())
