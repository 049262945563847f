"""The image files of a folder or a zip file, listed once and read one at a time."""

from __future__ import annotations

import os
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

from gan_framework.api import SUFFIXES, ConfigError, image_names, is_image, read_limited
from gan_zoo.datasets.archives import open_zip


class Files(ABC):
    """Files by name, a path relative to `path` with forward slashes.

    Attributes:
        path: the folder or zip file.
        names: the names of all image files, sorted.
    """

    path: Path
    names: tuple[str, ...]

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return a file's content.

        Raises:
            Exception: whatever the reading of a missing, damaged or hostile file may raise.
        """

    @abstractmethod
    def stamp(self, name: str) -> tuple[str, int, int]:
        """Return what changes when the file does: its name, its size, and its time or checksum.

        A file that is missing has the size -1.
        """


class FolderFiles(Files):
    """The files of a folder and the folders in it.

    Args:
        path: the folder.
        names: the files' names, or None to look for them.
    """

    def __init__(self, path: Path, names: Iterable[str] | None = None) -> None:
        self.path = path
        self.names = image_names(path) if names is None else tuple(names)

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        with open(self.path / name, "rb") as file:
            return read_limited(file)

    def stamp(self, name: str) -> tuple[str, int, int]:
        """Return the name, the size and the time of the last change."""
        try:
            status = os.stat(self.path / name)
        except OSError:
            return name, -1, 0
        return name, status.st_size, status.st_mtime_ns


class ZipFiles(Files):
    """The files of a zip file, which is never unpacked to disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: tuple[int, zipfile.ZipFile] | None = None
        self.names = tuple(sorted(name for name in set(self._archive().namelist()) if is_image(name)))

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        with self._archive().open(name) as file:
            return read_limited(file)

    def stamp(self, name: str) -> tuple[str, int, int]:
        """Return the name, the size and the checksum."""
        entry = self._archive().getinfo(name)
        return name, entry.file_size, entry.CRC

    def _archive(self) -> zipfile.ZipFile:
        # A process that was forked needs a handle of its own: one shared would share its position.
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), open_zip(self.path))
        return self._opened[1]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_opened": None}


def find_files(path: str | None, setting: str) -> Files:
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
    files = FolderFiles(place) if place.is_dir() else ZipFiles(place)
    if not files.names:
        raise ConfigError(f"{setting}={path} holds no image; images end in {' '.join(SUFFIXES)}")
    return files
