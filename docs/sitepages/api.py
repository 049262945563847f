"""The reference of `gan_framework.api`: everything that it exports, by what it is for."""

from __future__ import annotations

from gan_framework import api

PARTS = {
    "Games": ("core.game", "core.player", "core.pair", "core.judge", "core.records"),
    "Contracts of plugins": ("core.contracts", "runs.tracker", "evaluation.sampler"),
    "Data": ("data",),
    "Scores": ("evaluation",),
    "Runs": ("runs", "storage", "weights"),
    "Helpers": ("core", "errors"),
}
"""Headings, and where what stands under them lies; the first that fits."""


def reference() -> str:
    """Return all names under their headings, for mkdocstrings."""
    left = dict(sorted(api._PLACES.items()))
    lines = []
    for heading, places in PARTS.items():
        inside = {name: place for name, place in left.items() if _lies_in(place, places)}
        left = {name: place for name, place in left.items() if name not in inside}
        lines += [f"## {heading}", ""]
        for name, place in inside.items():
            lines += [f"::: {place}.{name}", ""]
    assert not left, f"api.py exports {', '.join(left)}, which has no heading in {__name__}"
    return "\n".join(lines)


def _lies_in(place: str, parts: tuple[str, ...]) -> bool:
    inner = place.removeprefix("gan_framework.")
    return any(inner == part or inner.startswith(f"{part}.") for part in parts)
