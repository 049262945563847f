"""The navigation, with the pages of the folders that it names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any


def expanded(entries: list[Any], docs: Path, made: Iterable[str]) -> list[Any]:
    """Return the navigation in which the pages of a folder stand for its name (`techniques/`), `index.md` first.

    Args:
        entries: as in mkdocs.yml.
        docs: the folder of the pages.
        made: further pages that are not files there.
    """
    there = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")} | set(made)
    return _filled(entries, {uri for uri in there if uri.endswith(".md")})


def _filled(entries: list[Any], there: set[str]) -> list[Any]:
    filled: list[Any] = []
    for entry in entries:
        if isinstance(entry, dict):
            ((title, inner),) = entry.items()
            if inside := _filled(inner if isinstance(inner, list) else [inner], there):
                filled.append({title: inside})
        elif entry.endswith("/"):
            filled += sorted(
                (uri for uri in there if uri.startswith(entry)), key=lambda uri: (uri != f"{entry}index.md", uri)
            )
        else:
            filled.append(entry)
    return filled
