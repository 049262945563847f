"""Reading arrays from `.npz` files that strangers made."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from gan_framework.api import ConfigError
from gan_zoo.datasets.archives import open_zip
from gan_zoo.datasets.array_sizes import check_size, missing, pickled, rows_at_a_time

PIECE = 2**18
"""Bytes that are unpacked at a time: of longer pieces zipfile holds several copies."""


def read_array(path: Path, key: str, setting: str) -> np.ndarray:
    """Return one array of an `.npz` file, in this machine's byte order.

    Its kind and size are checked before any memory is taken, and pickled objects are never loaded.

    Args:
        path: the file.
        key: the array's name in it.
        setting: the setting that gave the name, for messages.

    Raises:
        ConfigError: the file or the array is missing, damaged, pickled or too large.
    """
    with _opened(path, key, setting) as archive:
        array = npy.read_array(archive, allow_pickle=False)
    native: np.ndarray = array.astype(array.dtype.newbyteorder("="), copy=False)
    return native


def read_rows(path: Path, key: str, setting: str) -> Iterator[np.ndarray]:
    """Yield the rows (n, ...) of one array (N, ...) of an `.npz` file, in their order, a few megabytes at a time.

    An array in Fortran's order, in which rows do not lie together, is held whole meanwhile.

    Raises:
        ConfigError: as for `read_array`.
    """
    with _opened(path, key, setting) as archive:
        shape, fortran, dtype = _header(archive)
        native = dtype.newbyteorder("=")
        count = rows_at_a_time(shape, dtype)
        whole = _read(archive, shape[::-1], dtype).T if fortran else None
        for start in range(0, shape[0], count):
            if whole is None:
                rows = _read(archive, (min(count, shape[0] - start), *shape[1:]), dtype)
            else:
                rows = np.ascontiguousarray(whole[start : start + count])
            yield rows.astype(native, copy=False)


def _read(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    array = np.empty(shape, dtype)
    content = array.reshape(-1).view(np.uint8).data
    start = 0
    while start < len(content):
        piece = file.read(min(PIECE, len(content) - start))
        if not piece:
            raise ValueError(f"{len(content) - start:,} bytes are missing")
        content[start : start + len(piece)] = piece
        start += len(piece)
    return array


def read_form(path: Path, key: str, setting: str) -> tuple[tuple[int, ...], np.dtype]:
    """Return the shape and the type of one array of an `.npz` file, without reading it.

    Raises:
        ConfigError: as for `read_array`.
    """
    with _opened(path, key, setting) as archive:
        shape, _, dtype = _header(archive)
        return shape, dtype


@contextmanager
def _opened(path: Path, key: str, setting: str) -> Iterator[IO[bytes]]:
    """Open an array whose announced kind and size are what it is; whatever its reading raises becomes a ConfigError."""
    if path.is_dir():
        raise ConfigError(f"{path} is a folder, not an .npz file; data=folder reads a folder of images")
    if not path.is_file():
        raise ConfigError(f"{path} does not exist, or is not a regular file; an .npz file is needed")
    if path.suffix.lower() != ".npz" and not zipfile.is_zipfile(path):
        raise ConfigError(f"{path} is not an .npz, .npy or HDF5 file")
    # Arrays may pack to any degree: their size is announced, and checked against the memory.
    with open_zip(path, max_ratio=None) as archive:
        keys = [name.removesuffix(".npy") for name in archive.namelist()]
        if key not in keys:
            raise missing(path, key, setting, keys)
        if keys.count(key) > 1:
            raise ConfigError(f"{path} has {keys.count(key)} arrays {setting}={key}: which is meant is not known")
        where = f"{path} ({key})"
        try:
            entry = archive.getinfo(f"{key}.npy")
            with archive.open(entry) as file:
                _check(where, entry, file)
            with archive.open(entry) as file:
                yield file
        except ConfigError:
            raise
        except Exception as error:  # a damaged header or stream can make the unpacking raise anything
            raise ConfigError(f"{where} cannot be read as an array: {type(error).__name__}: {error}") from error


def _check(where: str, entry: zipfile.ZipInfo, file: IO[bytes]) -> None:
    try:
        shape, _, dtype = _header(file)
    except _UnknownVersion as error:
        raise ConfigError(
            f"{where} is written in version {error} of the .npy format: only 1.0 and 2.0 are read"
        ) from None
    if dtype.hasobject:
        raise pickled(where)
    size, held = math.prod(shape) * dtype.itemsize, entry.file_size - file.tell()
    if size != held or min(shape, default=0) < 0:
        raise ConfigError(f"{where} announces {shape} {dtype}, {size:,} bytes, but holds {held:,}")
    check_size(where, size)


class _UnknownVersion(Exception):
    """A version of the format that is not read."""


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return an array's shape, whether it lies in Fortran's order, and its type."""
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise _UnknownVersion(version)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read_header(file)
    return shape, fortran, dtype
