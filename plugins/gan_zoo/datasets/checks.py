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


def image_shape(image_size: int, channels: int) -> tuple[int, int, int]:
    """Return the shape (C, H, W) that the settings ask for.

    Raises:
        ConfigError: no image has this size or this number of channels.
    """
    if channels not in (1, 3):
        raise ConfigError(f"data.channels={channels} must be 1 (grey) or 3 (colour)")
    if not (isinstance(image_size, int) and 1 <= image_size <= 4096):
        raise ConfigError(f"data.image_size={image_size} must be a whole number from 1 to 4096")
    return channels, image_size, image_size
