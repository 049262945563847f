"""One process at a time works in a folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from gan_framework.errors import ConfigError
from gan_framework.storage import files
from gan_framework.storage.layout import RunFolder


@contextmanager
def owned(folder: Path, what: str = "run") -> Iterator[None]:
    """Hold the folder of a run or a sweep, which no other process may use meanwhile; a crash lets go of it.

    Raises:
        ConfigError: another process holds it, or it has symbolic links to other folders.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"hydra.{what}.dir={folder} cannot be made: {error.strerror}") from error
    owner = folder / ".owner"
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        holder = owner.read_text() if owner.exists() else "another process"
        raise ConfigError(
            f"the {what} folder {folder} is in use by {holder}; choose another hydra.{what}.dir"
        ) from None
    except OSError as error:
        raise ConfigError(f"hydra.{what}.dir={folder} cannot be locked: {error}") from error
    try:
        files.refuse_links(folder)
        run = RunFolder(folder)
        for place in (folder, run.checkpoints, run.samples):
            files.remove_unfinished(place)
        files.write_text(owner, f"pid {os.getpid()} on {socket.gethostname()}")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def abandoned(folder: Path) -> bool:
    """Return whether the process that held the folder has died without letting go of it."""
    if not (folder / ".owner").exists():
        return False
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return False
    lock.release()
    return True
