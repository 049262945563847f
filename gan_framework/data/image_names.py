"""Which files of a folder are images, and what becomes of the others: one rule for what is trained on and scored."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
)
"""Those that Pillow knows the formats by that are decoded; of a `.pfm`, it is said that it cannot be used."""

_SUFFIXES = frozenset(SUFFIXES)


class Listing(NamedTuple):
    """What lies in a folder and its subfolders; all names are relative to it, with forward slashes, and sorted.

    Attributes:
        images: the names of the image files. A link to nothing that is named like an image is one, of which the reading
            fails.
        bad: what cannot be followed, by name, and why: links to nothing, folders that cannot be read, folders that are
            reached under a second name, pipes and devices that are named like images.
        left_out: the names of all files that are not images, and of hidden files and folders, which are not entered.
        folders: the names of the subfolders that have been entered.
    """

    images: tuple[str, ...]
    bad: Mapping[str, str]
    left_out: tuple[str, ...]
    folders: tuple[str, ...]


def is_image(name: str) -> bool:
    """Return whether a file's name, relative and with forward slashes, is an image's and nothing in it is hidden."""
    return _is_named_so(name) and not is_hidden(name)


def is_hidden(name: str) -> bool:
    """Return whether a name, relative and with forward slashes, is hidden or lies in what is."""
    return name.startswith(".") or "/." in name or ("__MACOSX" in name and "__MACOSX" in name.split("/"))


def _is_named_so(name: str) -> bool:
    # Of a name that is not hidden, what follows the last dot is the suffix: none begins with its only dot.
    return name[name.rfind(".") :].lower() in _SUFFIXES


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower().removesuffix(".")


def describe_left_out(names: Iterable[str]) -> str:
    """Return how many files have been left out, by their suffixes; empty for none."""
    kinds = Counter("hidden" if is_hidden(name) else _suffix(name) for name in names)
    if not kinds:
        return ""
    counts = [f"{count} {kind or 'without a suffix'}" for kind, count in sorted(kinds.items(), key=_most_first)]
    more = f" and {len(counts) - 10} other kinds" if len(counts) > 10 else ""
    total = kinds.total()
    what = "1 file that is not an image" if total == 1 else f"{total} files that are not images"
    return f"left out {what}: {', '.join(counts[:10])}{more}"


def describe_bad(bad: Mapping[str, str]) -> str:
    """Return the bad entries and why they are, ten at most."""
    shown = "; ".join(f"{name}: {why}" for name, why in list(bad.items())[:10])
    return shown + (f"; and {len(bad) - 10} more" if len(bad) > 10 else "")


def list_images(root: Path) -> Listing:
    """Return what lies in a folder and its subfolders; linked folders are entered like others."""
    walk = _Walk(root)
    walk.run()
    bad = dict(sorted(walk.bad.items()))
    return Listing(tuple(sorted(walk.images)), bad, tuple(sorted(walk.left_out)), tuple(sorted(walk.folders)))


class _Walk:
    """Enters every folder once; those that are no links first, so that a link is the second name of a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.images: list[str] = []
        self.bad: dict[str, str] = {}
        self.left_out: list[str] = []
        self.folders: list[str] = []
        self._linked: list[str] = []
        self._seen: dict[tuple[int, int], str] = {}

    def run(self) -> None:
        self._enter("")
        while self._linked:
            self._enter(self._linked.pop(0))

    def _enter(self, first: str) -> None:
        waiting = [first]
        while waiting:
            name = waiting.pop()
            try:
                status = os.stat(self.root / name)
                known = self._seen.setdefault((status.st_dev, status.st_ino), name)
                if known != name:
                    self.bad[name] = f"the same folder as {known or '.'}, which has been read already"
                    continue
                entries = sorted(os.scandir(self.root / name), key=attrgetter("name"))
            except OSError as error:
                self.bad[name or "."] = f"a folder that cannot be read ({error.strerror or error})"
                continue
            if name:
                self.folders.append(name)
            inside = list(self._sort_out(name, entries))
            waiting += reversed(inside)

    def _sort_out(self, folder: str, entries: list[os.DirEntry[str]]) -> Iterator[str]:
        """Put the entries of a folder where they belong, and yield the folders among them that are no links."""
        before = f"{folder}/" if folder else ""
        for entry in entries:
            plain = entry.name
            name = before + plain
            named_so = _is_named_so(plain)
            try:
                # Nearly all, and there may be a million.
                if named_so and plain[0] != "." and entry.is_file(follow_symlinks=False):
                    self.images.append(name)
                    continue
                if is_hidden(plain):
                    self.left_out.append(name)
                    continue
                linked = entry.is_symlink()
                if linked:
                    entry.stat()  # raises for a link to nothing, which the next two take for no file
                is_folder, is_file = entry.is_dir(), entry.is_file()
            except OSError as error:
                if named_so:
                    self.images.append(name)
                else:
                    self.bad[name] = _unfollowed(entry, error)
                continue
            if is_folder and linked:
                self._linked.append(name)
            elif is_folder:
                yield name
            elif is_file and named_so:
                self.images.append(name)
            elif named_so:
                self.bad[name] = "neither a file nor a folder"
            else:
                self.left_out.append(name)


def _unfollowed(entry: os.DirEntry[str], error: OSError) -> str:
    if not entry.is_symlink():
        return str(error.strerror or error)
    try:
        where = f" to {os.readlink(entry.path)},"
    except OSError:  # of another user's processes, in /proc
        where = ""
    return f"a link{where} which cannot be followed ({error.strerror or error})"


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
