"""What holds for arrays in files of every format: none of a name, one that is too large, how rows are cut."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np

from gan_framework.api import ConfigError

CHUNK = 2**21
"""Bytes of rows that are read at a time."""


USUAL = {
    "data.x": ("images", "image", "imgs", "x_train", "train_images", "samples", "data", "x"),
    "data.y": ("labels", "label", "y_train", "train_labels", "targets", "target", "classes", "y"),
}
"""What arrays of samples and of labels are called in many files."""


def missing(where: object, key: str, setting: str, keys: Sequence[str]) -> ConfigError:
    """Return what is to be raised where a file has no array of a name."""
    without = "; data.y=null for samples without labels" if setting == "data.y" else ""
    usual = [name for name in keys if name.lower() in USUAL.get(setting, ())]
    only = keys if setting == "data.x" and len(keys) == 1 else []
    meant = f": set {setting}={(usual or only)[0]}" if usual or only else ""
    return ConfigError(f"{where} has no array {setting}={key}; it has {', '.join(keys) or 'none'}{meant}{without}")


def check_size(where: str, size: int) -> None:
    """Raise ConfigError if so many bytes do not fit into this machine's memory."""
    if size > _memory():
        raise ConfigError(f"{where} takes {size:,} bytes, more than this machine's memory of {_memory():,}")


def rows_at_a_time(shape: tuple[int, ...], dtype: np.dtype) -> int:
    """Return how many rows of an array (N, ...) are read at a time."""
    return max(1, CHUNK // max(1, math.prod(shape[1:]) * dtype.itemsize))


def pickled(where: str) -> ConfigError:
    """Return what is to be raised where an array holds objects."""
    return ConfigError(
        f"{where} holds pickled Python objects, which can run code when loaded: refused. Save it as an array of numbers"
    )


def _memory() -> int:
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return 2**36
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
