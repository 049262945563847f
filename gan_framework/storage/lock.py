"""One process at a time works in a folder."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from gan_framework.errors import ConfigError, RunFailed
from gan_framework.storage import files
from gan_framework.storage.foreign import Damaged, open_regular, read_text
from gan_framework.storage.layout import RunFolder

LOCK_BYTES = 2**16
"""More than a lock's file ever holds."""
OWNER_BYTES = 1024
"""More than is written of who holds a folder."""


class Hold:
    """A folder that this process holds, known again by its lock: another folder of the same name has another.

    Args:
        folder: the folder.
        lock: the lock in it, which is held.
        what: `run` or `sweep`, for messages.
    """

    def __init__(self, folder: Path, lock: Path, what: str) -> None:
        self._folder, self._lock, self._what = folder, lock, what
        self._known = self._identity()

    @property
    def intact(self) -> bool:
        """Whether the folder is still the one that is held."""
        return self._identity() == self._known

    def check(self) -> None:
        """Raise RunFailed if the folder is not the one any more that is held: nothing may be written there."""
        if not self.intact:
            raise self.loss()

    def loss(self) -> RunFailed:
        """Return the error that says that the folder is not the one any more that is held."""
        return RunFailed(f"the {self._what} folder {self._folder} was deleted or replaced while it was in use")

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._lock)
        except OSError:
            return None
        return status.st_dev, status.st_ino


@contextmanager
def owned(folder: Path, what: str = "run") -> Iterator[Hold]:
    """Hold the folder of a run or a sweep, which no other process may use meanwhile; a crash lets go of it.

    Raises:
        ConfigError: another process holds it, or it has symbolic links to other folders.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"hydra.{what}.dir={folder} cannot be made: {error.strerror}") from error
    owner = folder / ".owner"
    files.refuse_link(folder / ".lock")  # a lock may be emptied when it is opened
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ConfigError(
            f"the {what} folder {folder} is in use by {_holder(owner)}; choose another hydra.{what}.dir"
        ) from None
    except OSError as error:
        raise ConfigError(f"hydra.{what}.dir={folder} cannot be locked: {error}") from error
    hold = Hold(folder, folder / ".lock", what)
    try:
        files.refuse_links(folder)
        run = RunFolder(folder)
        for place in (folder, run.checkpoints, run.samples):
            files.remove_unfinished(place)
        files.write_text(owner, f"pid {os.getpid()} on {socket.gethostname()}")
        yield hold
    finally:
        if hold.intact:
            owner.unlink(missing_ok=True)
        lock.release()


def _holder(owner: Path) -> str:
    try:
        return read_text(owner, owner.parent, OWNER_BYTES)
    except (OSError, Damaged):
        return "another process"


def held(folder: Path) -> bool:
    """Return whether a process works in the folder now; nothing is written there, whoever made it."""
    if sys.platform == "win32":
        return not abandoned(folder)
    import fcntl

    try:
        with open_regular(folder / ".lock", folder, LOCK_BYTES) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (OSError, Damaged):
        pass
    return False


def abandoned(folder: Path) -> bool:
    """Return whether the process that held the folder has died without letting go of it."""
    if not (folder / ".owner").exists() or not files.is_own(folder / ".lock"):
        return False
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return False
    lock.release()
    return True
