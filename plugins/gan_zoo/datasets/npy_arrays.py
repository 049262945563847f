"""Reading the one array of an `.npy` file, which is called `x`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gan_framework.api import ConfigError
from gan_zoo.datasets.array_sizes import check_size, missing, pickled, rows_at_a_time

KEY = "x"


def read_array(path: Path, key: str, setting: str) -> np.ndarray:
    """Return the array; see `arrays.read_array`."""
    array = _mapped(path, key, setting)
    return np.array(array, array.dtype.newbyteorder("="))


def read_rows(path: Path, key: str, setting: str) -> Iterator[np.ndarray]:
    """Yield its rows; see `arrays.read_rows`."""
    array = _mapped(path, key, setting)
    native, count = array.dtype.newbyteorder("="), rows_at_a_time(array.shape, array.dtype)
    for start in range(0, len(array), count):
        yield np.array(array[start : start + count], native, order="C")


def read_form(path: Path, key: str, setting: str) -> tuple[tuple[int, ...], np.dtype]:
    """Return its shape and type; see `arrays.read_form`."""
    array = _mapped(path, key, setting)
    return array.shape, array.dtype


def _mapped(path: Path, key: str, setting: str) -> np.ndarray:
    if not path.is_file():
        raise ConfigError(f"{path} does not exist, or is not a regular file; an .npy file is needed")
    if key != KEY:
        raise missing(path, key, setting, [KEY])
    where = f"{path} ({key})"
    try:
        array: np.ndarray = np.lib.format.open_memmap(path, mode="r")
    except ValueError as error:
        if "object" in str(error):
            raise pickled(where) from None
        raise ConfigError(f"{where} cannot be read as an array: {error}") from error
    except Exception as error:  # a damaged header can make the reading raise anything
        raise ConfigError(f"{where} cannot be read as an array: {type(error).__name__}: {error}") from error
    if not array.ndim:
        raise ConfigError(f"{where} is a single number; an array of samples is wanted")
    check_size(where, array.nbytes)
    return array
