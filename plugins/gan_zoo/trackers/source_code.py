"""The source code that a run uses: of the framework, and of the packages whose plugins are loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

from gan_framework.api import mask

FRAMEWORK = "gan_framework"

PASSED_OVER = {"__pycache__", "outputs", "multirun", "wandb", "node_modules", "site-packages"}
"""Folders that hold no source of a package, wherever they lie."""

LARGEST = 1024 * 1024
"""Bytes of the largest file that is taken for source."""

MOST_BYTES = 16 * 1024 * 1024
MOST_FILES = 4000


def copy_sources(target: Path) -> list[str]:
    """Copy the source files into an empty folder, secrets in them masked; return what was left out, and why.

    There are the framework, the loaded packages that plugins are registered from, and the script that was started if it
    names the framework. Only files that end in `.py` are taken, so neither data nor outputs are, and none behind a
    link.
    """
    left_out = []
    files = size = 0
    for name, path in _sources():
        try:
            length = path.stat().st_size
            if length > LARGEST:
                left_out.append(f"{name} has more than {LARGEST:,} bytes")
                continue
            if files >= MOST_FILES or size + length > MOST_BYTES:
                left_out.append(f"{name} and what follows it: more than {MOST_FILES:,} files or {MOST_BYTES:,} bytes")
                break
            text = path.read_text(errors="replace")
        except OSError as error:
            left_out.append(f"{name}: {error.strerror}")
            continue
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(mask(text))
        files, size = files + 1, size + length
    return left_out


def _sources() -> Iterator[tuple[str, Path]]:
    """Yield the source files, each with its name below the folder of its package."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script and script.endswith(".py") and _names_framework(Path(script)):
        yield Path(script).name, Path(script)
    for name in sorted(_packages()):
        module = sys.modules[name]
        folders = [Path(folder) for folder in getattr(module, "__path__", ())]
        for folder in folders:
            yield from ((str(Path(name, path.relative_to(folder))), path) for path in _below(folder))
        own = getattr(module, "__file__", None)
        if not folders and own and own.endswith(".py"):
            yield Path(own).name, Path(own)


def _packages() -> set[str]:
    groups = [group for group in entry_points().groups if group.startswith(f"{FRAMEWORK}.")]
    registered = {point.module.partition(".")[0] for group in groups for point in entry_points(group=group)}
    return {name for name in registered | {FRAMEWORK} if sys.modules.get(name) is not None}


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in PASSED_OVER and not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if path.suffix == ".py" and path.is_file() and not path.is_symlink():
                yield path


def _names_framework(script: Path) -> bool:
    try:
        return script.stat().st_size <= LARGEST and FRAMEWORK in script.read_text(errors="replace")
    except OSError:
        return False
