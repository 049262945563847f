"""`metrics.jsonl`, which is part of the run: if it cannot be written, the run fails."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from gan_framework.errors import RunFailed
from gan_framework.storage.files import atomic, finite
from gan_framework.storage.layout import RunFolder


class MetricsFile:
    """Writes `metrics.jsonl`: one strict JSON object per line, in the file as soon as it is logged.

    A number that is not finite is written as null. Every method raises RunFailed if the file
    cannot be written.
    """

    def __init__(self) -> None:
        self._path = Path()
        self._file: FileIO | None = None

    def start(self, folder: Path, resumed: bool) -> None:
        """Open the file, empty unless the run is resumed."""
        self._path = RunFolder(folder).metrics
        if resumed:
            self.truncate_after(math.inf)
        else:
            self._rewrite([])

    def log(self, record: Mapping[str, Any]) -> None:
        """Append one line."""
        assert self._file is not None, "log comes after start"
        rest = memoryview(json.dumps(finite(record), allow_nan=False).encode() + b"\n")
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise self._failure(error) from error

    def truncate_after(self, step: float) -> None:
        """Drop the lines of later steps, and a last line that was cut off while it was written."""
        try:
            lines = self._path.read_bytes().splitlines(keepends=True) if self._path.exists() else []
        except OSError as error:
            raise self._failure(error) from error
        self._rewrite([line for line in lines if _step(line) <= step])

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rewrite(self, lines: list[bytes]) -> None:
        if self._file is not None:
            self._file.close()
        try:
            with atomic(self._path) as file:
                file.writelines(lines)
            self._file = FileIO(os.open(self._path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)), "a")
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> RunFailed:
        return RunFailed(f"{self._path} cannot be written: {error.strerror or error}")


def _step(line: bytes) -> float:
    """Return the step of a line, infinitely late for one that is cut off."""
    if not line.endswith(b"\n"):
        return math.nan
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.nan
