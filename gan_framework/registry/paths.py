"""Settings that name files: a plugin asks for a `Path`, and a configuration holds text."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args


def asks_for_path(kind: Any) -> bool:
    """Return whether a plugin's setting of a type names a file or a folder: `Path`, or `Path | None`."""
    return kind is Path or Path in get_args(kind)


def may_be_a_name(kind: Any) -> bool:
    """Return whether a setting of a type names something elsewhere where there is no such file: `Path | str`."""
    return Path in get_args(kind) and str in get_args(kind)


def absolute(text: str | Path) -> Path:
    """Return a path that means the same wherever it is read: `~` is the user's folder, others start where we are."""
    return Path(text).expanduser().absolute()
