"""What a run has newly said in its log."""

from __future__ import annotations

import os
from pathlib import Path

AT_ONCE = 256 * 1024
"""Bytes that are read at a time."""

MOST = 8 * 1024 * 1024
"""Bytes that are read of the log in all."""


class RunLog:
    """Reads what is added to a log, whole lines only; where it cannot be read, there is nothing new.

    Args:
        path: the file.
        begins: the first byte to be read.
    """

    def __init__(self, path: Path, begins: int) -> None:
        self._path = path
        self._at = begins
        self._end = begins + MOST

    def new(self) -> str:
        """Return the lines that were added since the last call; of many, the rest comes with the next call."""
        if self._at >= self._end:
            return ""
        try:
            with os.fdopen(os.open(self._path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
                file.seek(self._at)
                read = file.read(AT_ONCE)
        except OSError:
            return ""
        whole = read[: read.rfind(b"\n") + 1] or (read if len(read) == AT_ONCE else b"")
        self._at += len(whole)
        text = whole.decode(errors="replace")
        return text if self._at < self._end else f"{text}(the log goes on in {self._path.name} of the run's folder)\n"

    def rest(self) -> str:
        """Return all that was added since the last call."""
        found = []
        while text := self.new():
            found.append(text)
        return "".join(found)
