"""Reading what somebody else may have made: regular files alone, inside their folder, up to a size."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from gan_framework.errors import ConfigError
from gan_framework.storage.text import visible

DEEPEST = 40
"""Folders within folders that are looked into."""
PNG_BYTES = 4 * 2**20
"""The largest picture that is read."""
PNG_PIXELS = 2**26
"""The most pixels of a picture: what shows it needs four bytes for each."""
PNG_HEADER = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"

FLAGS = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
"""How files are opened, where the system knows it: following no link, and waiting for nobody."""
KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
}


class Damaged(ConfigError):
    """A file cannot be read as what it should be; the message names it, and the field."""


class Folder(NamedTuple):
    """A folder that was found: where, the names of what is in it, and those of them that are symbolic links."""

    path: Path
    names: frozenset[str]
    links: frozenset[str]


def open_regular(path: Path, within: Path, most: int) -> IO[bytes]:
    """Open a file for reading.

    A named pipe or a device is not even opened: that alone could wait for ever.

    Args:
        path: the file.
        within: the folder that it must lie in, wherever symbolic links point to; it may be none itself.
        most: the most bytes that it may hold.

    Raises:
        Damaged: it is not a regular file, lies elsewhere, is larger, or cannot be opened.
        FileNotFoundError: there is none.
    """
    name = _named(path, within)
    flags = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in FLAGS)
    try:
        if not _inside(path, within):
            raise Damaged(
                f"{name} lies outside of the folder, or is reached through a symbolic link, which is not followed"
            )
        _require_regular(os.lstat(path), name, most)
        descriptor = os.open(path, flags)
    except (FileNotFoundError, Damaged):
        raise
    except (OSError, ValueError) as error:
        raise Damaged(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        _require_regular(os.fstat(descriptor), name, most)
    except Damaged:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_bytes(path: Path, within: Path, most: int) -> bytes:
    """Return what a file holds; see `open_regular`.

    Raises:
        Damaged: it is none that can be read, or is larger than `most` bytes.
    """
    with open_regular(path, within, most) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise Damaged(f"{_named(path, within)} is larger than {most:,} bytes")
    return content


def read_text(path: Path, within: Path, most: int) -> str:
    """Return what a text file holds; see `read_bytes`.

    Raises:
        Damaged: as there, or it is no text in UTF-8.
    """
    try:
        return read_bytes(path, within, most).decode()
    except UnicodeDecodeError as error:
        raise Damaged(f"{_named(path, within)} is no text in UTF-8: {error.reason}") from error


def read_png(path: Path, within: Path) -> bytes:
    """Return a picture's file; see `open_regular`.

    Raises:
        Damaged: it is also no PNG, or one of too many pixels.
        FileNotFoundError: there is none.
    """
    content = read_bytes(path, within, PNG_BYTES)
    name = _named(path, within)
    if not content.startswith(PNG_HEADER) or len(content) < len(PNG_HEADER) + 8:
        raise Damaged(f"{name} is no PNG")
    width, height = (int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
    if not 0 < width * height <= PNG_PIXELS:
        raise Damaged(f"{name} has {width} x {height} pixels; up to {PNG_PIXELS:,} are shown")
    return content


def walk(
    folder: Path, problems: list[str] | None = None, passes: Callable[[Folder, str], bool] | None = None
) -> Iterator[Folder]:
    """Yield a folder and all below it, in the order of their names, following no symbolic link.

    Args:
        folder: where to begin.
        problems: takes up, a line each, what could not be looked into.
        passes: whether a folder of a name in another one is passed by, with all below it.
    """
    waiting = [(folder, 0)]
    while waiting:
        path, depth = waiting.pop()
        names, links, below = set(), set(), []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    names.add(entry.name)
                    if entry.is_symlink():
                        links.add(entry.name)
                    elif entry.is_dir(follow_symlinks=False):
                        below.append(entry.name)
        except OSError as error:
            if problems is not None:
                problems.append(f"{visible(str(path))} cannot be looked into: {error.strerror or error}")
            continue
        here = Folder(path, frozenset(names), frozenset(links))
        yield here
        if passes is not None:
            below = [name for name in below if not passes(here, name)]
        if depth < DEEPEST:
            waiting += [(path / name, depth + 1) for name in sorted(below, reverse=True)]
        elif below and problems is not None:
            problems.append(f"{visible(str(path))} is {DEEPEST} folders deep, and what is below is not looked into")


def _require_regular(status: os.stat_result, name: str, most: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise Damaged(f"{name} is {kind} and not a regular file")
    if status.st_size > most:
        raise Damaged(f"{name} holds {status.st_size:,} bytes; up to {most:,} are read")


def _inside(path: Path, within: Path) -> bool:
    root, parent = os.path.realpath(within), os.path.realpath(path.parent)
    return parent == root or parent.startswith(root.rstrip(os.sep) + os.sep)


def _named(path: Path, within: Path) -> str:
    """Return how a file is called in messages."""
    try:
        return visible(str(path.relative_to(within)))
    except ValueError:
        return visible(str(path))
