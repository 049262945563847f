"""Which files of a folder are images: one rule for what is trained on and what is scored."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")


def is_image(name: str) -> bool:
    """Return whether a file's name, relative and with forward slashes, is an image's and nothing in it is hidden."""
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def image_names(root: Path) -> tuple[str, ...]:
    """Return the names of the image files in a folder and its subfolders, relative to it, sorted."""
    return tuple(sorted(_walk(root)))


def _walk(root: Path) -> Iterator[str]:
    """Yield the image files below a folder; linked folders are followed, each only once."""
    seen = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        for name in names:
            relative = (Path(folder) / name).relative_to(root).as_posix()
            if is_image(relative) and os.path.isfile(os.path.join(folder, name)):
                yield relative
