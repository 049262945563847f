"""`metrics.jsonl`, which is part of the run: if it cannot be written, the run fails."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from gan_framework.errors import RunFailed
from gan_framework.storage.files import atomic, finite
from gan_framework.storage.layout import RunFolder

CHUNK = 2**16
"""Bytes that are read at once, from the end of the file on."""


class MetricsFile:
    """Writes `metrics.jsonl`: one strict JSON object per line, in the file as soon as it is logged.

    A number that is not finite is written as null. Every method raises RunFailed if the file cannot be written, or is
    not there any more.
    """

    def __init__(self) -> None:
        self._path = Path()
        self._file: FileIO | None = None

    def start(self, folder: Path, resumed: bool) -> None:
        """Open the file, empty unless the run is resumed."""
        self._path = RunFolder(folder).metrics
        try:
            if not (resumed and self._is_own()):
                with atomic(self._path):
                    pass  # in the place of a link or of anything else that lies there
            flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            self._file = FileIO(os.open(self._path, flags), "a+")
        except OSError as error:
            raise self._failure(error) from error
        self.truncate_after(math.inf)

    def log(self, record: Mapping[str, Any]) -> None:
        """Append one line.

        Raises:
            RunFailed: the file cannot be written, or is another one by now.
        """
        assert self._file is not None, "log comes after start"
        rest = memoryview(json.dumps(finite(record), allow_nan=False).encode() + b"\n")
        try:
            if not os.path.samestat(os.fstat(self._file.fileno()), os.lstat(self._path)):
                raise RunFailed(f"{self._path} was replaced while the run was writing it")
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise self._failure(error) from error

    def truncate_after(self, step: float) -> None:
        """Drop the lines of later steps, and a last line that was cut off while it was written.

        Lines follow one another by their steps, so only those from the end on are looked at that are to go.
        """
        assert self._file is not None, "truncate_after comes after start"
        try:
            kept = next((end for end, line in self._from_the_end() if _step(line) <= step), 0)
            self._file.truncate(kept)
        except OSError as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_own(self) -> bool:
        """Return whether there is a file that nothing else is a name of, and that can be gone on with."""
        if not os.path.lexists(self._path):
            return False
        status = os.lstat(self._path)
        return stat.S_ISREG(status.st_mode) and status.st_nlink == 1

    def _from_the_end(self) -> Iterator[tuple[int, bytes]]:
        """Yield where lines end, and the lines, the last one first."""
        assert self._file is not None
        end = start = self._file.seek(0, os.SEEK_END)
        held = b""
        while start > 0 or held:
            cut = held.rfind(b"\n", 0, len(held) - 1) + 1
            if cut or not start:
                yield end, held[cut:]
                end, held = end - len(held) + cut, held[:cut]
                continue
            size = min(max(CHUNK, len(held)), start)  # of a huge line twice as much each time
            start = self._file.seek(start - size)
            held = self._file.read(size) + held

    def _failure(self, error: OSError) -> RunFailed:
        return RunFailed(f"{self._path} cannot be written: {error.strerror or error}")


def _step(line: bytes) -> float:
    """Return the step of a line, infinitely late for one that is cut off."""
    if not line.endswith(b"\n"):
        return math.nan
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return math.nan
