"""The image files of a folder or a zip file, listed once and read one at a time."""

from __future__ import annotations

import logging
import os
import stat
import zipfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np

from gan_framework.api import (
    SUFFIXES,
    ConfigError,
    Listing,
    describe_bad,
    describe_left_out,
    is_hidden,
    is_image,
    list_images,
    read_limited,
)
from gan_zoo.datasets.archives import open_zip

log = logging.getLogger(__name__)


class Files(ABC):
    """Files by name, a path relative to `path` with forward slashes.

    Attributes:
        path: the folder or zip file.
        names: the names of all image files, sorted.
        bad: what cannot be followed, by name, and why.
        left_out: the names of files that are not images.
        folders: the names of the subfolders.
    """

    path: Path
    names: tuple[str, ...]
    bad: Mapping[str, str]
    left_out: tuple[str, ...]
    folders: tuple[str, ...]

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return a file's content.

        Raises:
            Exception: whatever the reading of a missing, damaged or hostile file may raise.
        """

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """Return an open file, to be read in parts.

        Raises:
            Exception: as `read` does.
        """

    @cached_property
    def stamps(self) -> np.ndarray:
        """What changes when a file does, (N, K) int64 in the order of the names: its size, and its times or checksum.

        They are taken once: of a file that is changed later, they are not those of what it has become, and what is
        remembered of it under them is not believed the next time. A file that is missing has the size -1.
        """
        try:
            numbers = np.fromiter(chain.from_iterable(map(self._stamp, self.names)), np.int64)
        except OverflowError:
            stamps = map(self._stamp, self.names)
            numbers = np.fromiter(map(_wrapped, chain.from_iterable(stamps)), np.int64)
        return numbers.reshape(len(self.names), -1)

    @abstractmethod
    def _stamp(self, name: str) -> Sequence[int]:
        """Return the stamp of one file."""

    def _keep(self, listing: Listing) -> None:
        self.names, self.bad, self.left_out, self.folders = listing


class FolderFiles(Files):
    """The files of a folder and the folders in it.

    Args:
        path: the folder.
        names: the files' names, or None to look for them.
    """

    def __init__(self, path: Path, names: Iterable[str] | None = None) -> None:
        self.path = path
        self._root = os.fspath(path)
        self._keep(list_images(path) if names is None else Listing(tuple(names), {}, (), ()))

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        with self.open(name) as file:
            return read_limited(file)

    def open(self, name: str) -> IO[bytes]:
        """Return an open file."""
        return open(f"{self._root}/{name}", "rb")

    def _stamp(self, name: str) -> Sequence[int]:
        """Return the size, the number of the file, and when it, or what is known of it, last changed.

        Programs that copy files can set the time of the last change to what they like, but not the other one.
        """
        try:
            status = os.stat(f"{self._root}/{name}")
        except OSError:
            return -1, 0, 0, 0
        return status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


class ZipFiles(Files):
    """The files of a zip file, which is never unpacked to disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: tuple[int, zipfile.ZipFile] | None = None
        entries = {entry.filename: entry for entry in self._archive().infolist()}
        self._inside = {plain_name(name): name for name in entries}
        self._keep(_list_entries(self._archive().infolist()))

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        with self.open(name) as file:
            return read_limited(file)

    def open(self, name: str) -> IO[bytes]:
        """Return an open file."""
        return self._archive().open(self._inside[name])

    def _stamp(self, name: str) -> Sequence[int]:
        """Return the size and the checksum."""
        entry = self._archive().getinfo(self._inside[name])
        return entry.file_size, entry.CRC

    def _archive(self) -> zipfile.ZipFile:
        # A process that was forked needs a handle of its own: one shared would share its position.
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), open_zip(self.path))
        return self._opened[1]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_opened": None}


def _wrapped(number: int) -> int:
    """Return a number as 64 bits with a sign hold it; larger ones, which clocks gone wrong write, begin anew."""
    return (number + 2**63) % 2**64 - 2**63


def plain_name(name: str) -> str:
    """Return the name of a zip file's entry with forward slashes, which some programs for Windows do not write."""
    forward = name.replace("\\", "/")
    # Nearly all names are plain already, and there may be a million.
    return PurePosixPath(forward).as_posix() if "//" in forward or "./" in forward else forward.removesuffix("/")


def _list_entries(entries: list[zipfile.ZipInfo]) -> Listing:
    """Return what lies in a zip file, sorted out like the files of a folder."""
    images: set[str] = set()
    bad: dict[str, str] = {}
    left_out: set[str] = set()
    folders: set[str] = set()
    counts = Counter(plain_name(entry.filename) for entry in entries)
    for entry in entries:
        name = plain_name(entry.filename)
        is_folder = entry.filename.endswith(("/", "\\"))
        folder = name if is_folder else os.path.dirname(name)
        while folder and folder not in folders and not is_hidden(folder):
            folders.add(folder)
            folder = os.path.dirname(folder)
        if is_folder:
            continue
        if is_image(name):
            images.add(name)
            if counts[name] > 1:
                bad[name] = f"{counts[name]} files of this name lie in the zip file"
        elif not is_hidden(name) and stat.S_ISLNK(entry.external_attr >> 16):
            bad[name] = "a link, and none is followed in a zip file"
        else:
            left_out.add(name)
    good = sorted(images - bad.keys())
    return Listing(tuple(good), dict(sorted(bad.items())), tuple(sorted(left_out)), tuple(sorted(folders)))


def find_files(path: str | Path | None, setting: str) -> Files:
    """Return the image files of the folder or zip file that a setting names.

    Raises:
        ConfigError: there is none, or it holds no image.
    """
    if not path:
        raise ConfigError(f"{setting} is missing: a folder or a zip file of images")
    place = Path(path).expanduser()
    try:
        place.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{setting}={path}: there is no such folder or zip file ({reason})") from error
    if not (place.is_dir() or place.is_file()):  # a pipe or a device would be read without end
        raise ConfigError(f"{setting}={path} is neither a folder nor a file")
    if place.is_file() and is_image(place.name):
        raise ConfigError(f"{setting}={path} is one image; name a folder or a zip file of images")
    if place.is_file() and place.suffix.lower() != ".zip" and not zipfile.is_zipfile(place):
        raise ConfigError(f"{setting}={path} is neither a folder nor a zip file of images")
    files = FolderFiles(place) if place.is_dir() else ZipFiles(place)
    if not files.names:
        details = [*filter(None, [describe_bad(files.bad), describe_left_out(files.left_out)])]
        why = f" ({'; '.join(details)})" if details else ""
        raise ConfigError(f"{setting}={path} holds no image{why}; images end in {' '.join(SUFFIXES)}")
    return files


def report_others(files: Files, on_bad: str, used: str = "") -> None:
    """Say what of a place is not read.

    Args:
        files: the place.
        on_bad: `skip` or `refuse` what cannot be followed.
        used: the name of a file that is no image and is read nevertheless.

    Raises:
        ConfigError: there is what cannot be followed, and it is to be refused.
    """
    if files.bad:
        message = f"{files.path}: {len(files.bad)} of its entries cannot be followed: {describe_bad(files.bad)}"
        if on_bad == "refuse":
            raise ConfigError(f"{message}. Remove or repair them, or set data.on_bad=skip")
        log.warning("%s. They are skipped", message)
    left_out = describe_left_out(name for name in files.left_out if name != used)
    if left_out:
        log.info("%s: %s", files.path, left_out)
