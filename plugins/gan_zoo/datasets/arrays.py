"""Reading arrays from `.npz` files that strangers made."""

from __future__ import annotations

import math
import os
import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from gan_framework.api import ConfigError
from gan_zoo.datasets.archives import open_zip


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
    if not path.is_file():
        raise ConfigError(f"{path} is no file; an .npz file is wanted")
    with open_zip(path) as archive:
        keys = [name.removesuffix(".npy") for name in archive.namelist()]
        if key not in keys:
            raise ConfigError(f"{path} has no array {setting}={key}; it has {', '.join(keys) or 'none'}")
        where = f"{path} ({key})"
        try:
            _check(where, archive, archive.getinfo(f"{key}.npy"))
            with archive.open(f"{key}.npy") as file:
                array = npy.read_array(file, allow_pickle=False)
        except ConfigError:
            raise
        except Exception as error:  # a damaged header or stream can make the unpacking raise anything
            raise ConfigError(f"{where} cannot be read as an array: {type(error).__name__}: {error}") from error
    native: np.ndarray = array.astype(array.dtype.newbyteorder("="), copy=False)
    return native


def _check(where: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    with archive.open(entry) as file:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ConfigError(f"{where} is written in version {version} of the .npy format: only 1.0 and 2.0 are read")
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(file)
        if dtype.hasobject:
            raise ConfigError(
                f"{where} holds pickled Python objects, which can run code when loaded: refused. "
                "Save it as an array of numbers"
            )
        size = math.prod(shape) * dtype.itemsize
        held = entry.file_size - file.tell()
    if size != held:
        raise ConfigError(f"{where} announces {shape} {dtype}, {size:,} bytes, but holds {held:,}")
    if size > _memory():
        raise ConfigError(f"{where} takes {size:,} bytes, more than this machine's memory of {_memory():,}")


def _memory() -> int:
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return 2**36
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
