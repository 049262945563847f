"""Checks of settings that all sources share."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from gan_framework.api import ConfigError

log = logging.getLogger(__name__)


def known_classes(name: str, num_classes: int | None, found: int) -> None:
    """Raise ConfigError if the setting `num_classes` contradicts the number of classes found."""
    if num_classes not in (None, found):
        raise ConfigError(f"data.num_classes={num_classes}, but {name} has {found} classes")


def warn_of_one_place(path: Path, test_path: Path) -> None:
    """Warn if the split `test` is what is trained on."""
    if os.path.realpath(path) == os.path.realpath(test_path):
        log.warning("data.test_path=%s is data.path: the split 'test' is what is trained on", test_path)


def known_file(path: Path, most: int) -> Path:
    """Return the path of a regular file of at most so many bytes, which links may lead to.

    To open a named pipe could take for ever, and a device has no end.

    Raises:
        ConfigError: there is none, it is something else, or larger.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not stat.S_ISREG(status.st_mode):
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise ConfigError(f"{path} is {what}, and a file is needed")
    if status.st_size > most:
        raise ConfigError(f"{path} has {status.st_size:,} bytes; up to {most:,} are read")
    return path


def known_split(name: str, split: str, splits: tuple[str, ...]) -> None:
    """Raise ConfigError if a source has no such split."""
    if split not in splits:
        raise ConfigError(f"{name} has no split {split!r}; it has {', '.join(splits)}")
