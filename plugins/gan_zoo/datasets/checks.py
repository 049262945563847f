"""Checks of settings that all sources share."""

from __future__ import annotations

import logging
import os
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


def known_split(name: str, split: str, splits: tuple[str, ...]) -> None:
    """Raise ConfigError if a source has no such split."""
    if split not in splits:
        raise ConfigError(f"{name} has no split {split!r}; it has {', '.join(splits)}")
