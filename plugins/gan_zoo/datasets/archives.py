"""Opening zip files that strangers made."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

from gan_framework.api import ConfigError

MAX_RATIO = 100
"""How many bytes one packed byte may become in an archive of images, which hardly pack at all."""

HARMLESS_FILE = 64 * 2**20
HARMLESS_TOTAL = 2**30
"""Sizes in bytes, unpacked, up to which nothing is refused for its ratio."""


def open_zip(path: Path, max_ratio: int | None = MAX_RATIO) -> zipfile.ZipFile:
    """Open a zip file whose contents are safe to unpack one at a time.

    Args:
        path: the file.
        max_ratio: how many bytes one packed byte may become; None where the caller checks sizes himself.

    Raises:
        ConfigError: it is no whole zip file, is encrypted, has names that climb out of it, or
            unpacks to far more than a real one would.
    """
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # a damaged directory can make the reading raise anything
        raise ConfigError(f"{path} cannot be opened as a zip file, it may be cut short: {error}") from error
    try:
        _check(path, archive.infolist(), max_ratio or math.inf)
    except ConfigError:
        archive.close()
        raise
    return archive


def _check(path: Path, entries: list[zipfile.ZipInfo], max_ratio: float) -> None:
    on_disk = path.stat().st_size
    for entry in entries:
        if _climbs(entry.filename):
            raise ConfigError(f"{path} holds the name {entry.filename!r}, which points outside of it")
        if entry.flag_bits & 1:
            raise ConfigError(f"{path} is encrypted ({entry.filename}): unpack it and give the folder instead")
        if entry.compress_size > on_disk or entry.file_size > max(HARMLESS_FILE, max_ratio * entry.compress_size):
            raise _bomb(path, entry.filename, entry.file_size, entry.compress_size)
    total = sum(entry.file_size for entry in entries)
    if total > max(HARMLESS_TOTAL, max_ratio * on_disk):
        raise _bomb(path, "all in all", total, on_disk)


def _climbs(name: str) -> bool:
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    return posix.is_absolute() or bool(windows.drive or windows.root) or ".." in windows.parts


def _bomb(path: Path, what: str, unpacked: int, packed: int) -> ConfigError:
    return ConfigError(
        f"{path} ({what}) would unpack from {packed:,} to {unpacked:,} bytes, more than {MAX_RATIO} times: "
        "refused as a zip bomb. If it is genuine, store it without compression"
    )
