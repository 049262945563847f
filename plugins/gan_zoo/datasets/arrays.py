"""Reading arrays from files that strangers made: `.npz`, `.npy` and HDF5."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from gan_zoo.datasets import hdf5_arrays, npy_arrays, npz_arrays


class _Format(Protocol):
    def read_array(self, path: Path, key: str, setting: str) -> np.ndarray: ...

    def read_rows(self, path: Path, key: str, setting: str) -> Iterator[np.ndarray]: ...

    def read_form(self, path: Path, key: str, setting: str) -> tuple[tuple[int, ...], np.dtype]: ...


FORMATS: dict[str, _Format] = {".npy": npy_arrays, ".h5": hdf5_arrays, ".hdf5": hdf5_arrays}
"""What reads a file by its suffix; all others are read as `.npz`."""


def read_array(path: Path, key: str, setting: str) -> np.ndarray:
    """Return one array of a file, in this machine's byte order.

    Its kind and size are checked before any memory is taken, and pickled objects are never loaded.

    Args:
        path: the file.
        key: the array's name in it; that of an `.npy` file is `x`.
        setting: the setting that gave the name, for messages.

    Raises:
        ConfigError: the file or the array is missing, damaged, pickled or too large.
    """
    return _format(path).read_array(path, key, setting)


def read_rows(path: Path, key: str, setting: str) -> Iterator[np.ndarray]:
    """Yield the rows (n, ...) of one array (N, ...) of a file, in their order, a few megabytes at a time.

    Raises:
        ConfigError: as for `read_array`.
    """
    return _format(path).read_rows(path, key, setting)


def read_form(path: Path, key: str, setting: str) -> tuple[tuple[int, ...], np.dtype]:
    """Return the shape and the type of one array of a file, without reading it.

    Raises:
        ConfigError: as for `read_array`.
    """
    return _format(path).read_form(path, key, setting)


def _format(path: Path) -> _Format:
    return FORMATS.get(path.suffix.lower(), npz_arrays)
