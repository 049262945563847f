"""The navigation, with the pages of the folders that it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

REST = "*"
"""Stands in the navigation for all pages that it does not name."""


def expanded(entries: list[Any], docs: Path, made: Iterable[str]) -> list[Any]:
    """Return the navigation in which the pages of a folder stand for its name (`techniques/`), `index.md` first.

    Args:
        entries: as in mkdocs.yml.
        docs: the folder of the pages.
        made: further pages that are not files there.
    """
    there = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")} | set(made)
    pages = {uri for uri in there if uri.endswith(".md")}
    rest = sorted(pages - {*named(_filled(entries, pages, []))})
    return _filled(entries, pages, rest)


def named(entries: list[Any]) -> Iterator[str]:
    """Yield all pages of a navigation."""
    for entry in entries:
        if isinstance(entry, dict):
            yield from named(*entry.values())
        else:
            yield entry


def _filled(entries: list[Any], pages: set[str], rest: list[str]) -> list[Any]:
    filled: list[Any] = []
    for entry in entries:
        if isinstance(entry, dict):
            ((title, inner),) = entry.items()
            if inside := _filled(inner if isinstance(inner, list) else [inner], pages, rest):
                filled.append({title: inside})
        elif entry.endswith("/"):
            inside = [uri for uri in pages if uri.startswith(entry)]
            filled += sorted(inside, key=lambda uri: (uri != f"{entry}index.md", uri))
        elif entry == REST:
            filled += rest
        else:
            filled.append(entry)
    return filled
