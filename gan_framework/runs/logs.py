"""How a run's log is written; Hydra's logging configuration names these classes."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from gan_framework.storage.secrets import mask


class MaskingFormatter(logging.Formatter):
    """Formats records as the standard formatter does, without the secrets in them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or lines, of a record."""
        return str(mask(super().format(record)))


class RunLog(logging.FileHandler):
    """Appends to a file, never through a symbolic link; trouble with it is said once and ends no run."""

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        if path.is_symlink():
            path.unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        return open(os.open(path, flags, 0o666), "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the name is logging's)
        """Say on stderr that the file cannot be written, and write no more."""
        error = sys.exc_info()[1]
        print(f"warning: {self.baseFilename} is cut off: {error}", file=sys.stderr)
        self.setLevel(logging.CRITICAL + 1)
        with suppress(OSError):  # what is left in the buffer cannot be written either
            self.close()
