"""Reading arrays from HDF5 files; those in groups are named by their path, `train/images`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gan_framework.api import ConfigError
from gan_zoo.datasets.array_sizes import check_size, missing, rows_at_a_time

NAMED = 20
"""So many arrays of a file are named in a message."""


def read_array(path: Path, key: str, setting: str) -> np.ndarray:
    """Return the array; see `arrays.read_array`."""
    with _opened(path, key, setting) as array:
        stored: np.ndarray = array[()]
    return stored.astype(stored.dtype.newbyteorder("="), copy=False)


def read_rows(path: Path, key: str, setting: str) -> Iterator[np.ndarray]:
    """Yield its rows; see `arrays.read_rows`."""
    with _opened(path, key, setting) as array:
        native, count = array.dtype.newbyteorder("="), rows_at_a_time(array.shape, array.dtype)
        for start in range(0, len(array), count):
            yield array[start : start + count].astype(native, copy=False)


def read_form(path: Path, key: str, setting: str) -> tuple[tuple[int, ...], np.dtype]:
    """Return its shape and type; see `arrays.read_form`."""
    with _opened(path, key, setting) as array:
        return array.shape, array.dtype


@contextmanager
def _opened(path: Path, key: str, setting: str) -> Iterator[Any]:
    """Open an array of numbers that lies in the file itself; whatever its reading raises becomes a ConfigError."""
    try:
        import h5py
    except ImportError:
        raise ConfigError(f"{path} is an HDF5 file, which h5py reads: pip install 'gan-framework[hdf5]'") from None
    if not path.is_file():
        raise ConfigError(f"{path} does not exist, or is not a regular file; an HDF5 file is needed")
    where = f"{path} ({key})"
    try:
        with h5py.File(path, "r") as file:
            array = _found(file, key, path, setting)
            _check(where, array)
            yield array
    except ConfigError:
        raise
    except Exception as error:  # a damaged file can make the library raise anything
        raise ConfigError(f"{where} cannot be read as an array: {type(error).__name__}: {error}") from error


def _found(file: Any, key: str, path: Path, setting: str) -> Any:
    """Return the array of a name, reached without leaving the file."""
    import h5py

    place = file
    for part in filter(None, key.split("/")):
        link = place.get(part, getlink=True) if isinstance(place, h5py.Group) and part in place.keys() else None
        if link is None:
            raise missing(path, key, setting, _names(file))
        if not isinstance(link, h5py.HardLink):  # it may lead into another file, or through one
            raise ConfigError(f"{path} ({key}) is a link, and none is followed: save the array itself")
        place = place[part]
    if not isinstance(place, h5py.Dataset):
        raise missing(path, key, setting, _names(file))
    return place


def _names(file: Any) -> list[str]:
    import h5py

    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names[:NAMED] + ["..."] * (len(names) > NAMED)


def _check(where: str, array: Any) -> None:
    if array.is_virtual or array.external:
        raise ConfigError(f"{where} takes its values from other files, and none is followed: save them in this one")
    if array.dtype.hasobject:
        raise ConfigError(f"{where} holds texts or rows of several lengths: save it as an array of numbers")
    if not array.shape:
        raise ConfigError(f"{where} is a single number; an array of samples is wanted")
    check_size(where, array.dtype.itemsize * int(np.prod(array.shape, dtype=object)))
