"""How a run's log is written; Hydra's logging configuration names these classes."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from copy import copy
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple

from gan_framework.storage import files
from gan_framework.storage.secrets import mask
from gan_framework.storage.text import lines, visible


class MaskingFormatter(logging.Formatter):
    """Formats records as the standard formatter does: a line, and a traceback's if it has one; secrets are masked."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or lines, of a record, in which every character can be seen."""
        shown = copy(record)
        shown.msg, shown.args = visible(mask(record.getMessage()).rstrip("\n").expandtabs(4)), None
        return lines(mask(super().format(shown)))


class NamedFormatter(logging.Formatter):
    """Formats records as another formatter does, with the name of the run in front of each line.

    Args:
        name: of the run.
        inner: the other formatter.
    """

    def __init__(self, name: str, inner: logging.Formatter) -> None:
        super().__init__()
        self._lead, self._inner = f"[{visible(mask(name))}]", inner

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or lines, of a record."""
        return "\n".join(f"{self._lead}{line}" for line in self._inner.format(record).split("\n"))


def name_lines(name: str) -> None:
    """Have what is logged to the terminal from now on say whose it is; a run's own file needs no name."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.setFormatter(NamedFormatter(name, handler.formatter or MaskingFormatter()))


class RunLog(logging.FileHandler):
    """Appends to a file of its own, never through a link; trouble with it is said once and ends no run.

    Attributes:
        begins: the size of the file when it was opened: what earlier processes have written.
    """

    begins: int | None = None

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        if os.path.lexists(path) and not files.is_own(path):
            path.unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        opened = os.open(path, flags, 0o666)
        if self.begins is None:
            self.begins = os.fstat(opened).st_size
        return open(opened, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the name is logging's)
        """Say on stderr that the file cannot be written, and write no more."""
        error = sys.exc_info()[1]
        print(f"warning: {visible(self.baseFilename)} is cut off: {visible(mask(str(error)))}", file=sys.stderr)
        self.setLevel(logging.CRITICAL + 1)
        with suppress(OSError):  # what is left in the buffer cannot be written either
            self.close()


class LogPart(NamedTuple):
    """The part of a run's log that one process writes.

    Attributes:
        path: the file.
        begins: the first byte.
    """

    path: Path
    begins: int


def log_of(folder: Path) -> LogPart | None:
    """Return what this process writes of the log in a folder, or None where it writes none."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, RunLog) and Path(handler.baseFilename).parent.resolve() == folder.resolve():
            return LogPart(Path(handler.baseFilename), handler.begins or 0)
    return None
