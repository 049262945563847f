"""How a run's log is written; Hydra's logging configuration names these classes."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from copy import copy
from io import TextIOWrapper
from pathlib import Path

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


class RunLog(logging.FileHandler):
    """Appends to a file of its own, never through a link; trouble with it is said once and ends no run."""

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        if os.path.lexists(path) and not files.is_own(path):
            path.unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        return open(os.open(path, flags, 0o666), "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the name is logging's)
        """Say on stderr that the file cannot be written, and write no more."""
        error = sys.exc_info()[1]
        print(f"warning: {visible(self.baseFilename)} is cut off: {visible(mask(str(error)))}", file=sys.stderr)
        self.setLevel(logging.CRITICAL + 1)
        with suppress(OSError):  # what is left in the buffer cannot be written either
            self.close()
