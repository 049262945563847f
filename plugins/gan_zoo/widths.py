"""How many channels maps of a size have."""

from __future__ import annotations


def channels_at(level: int, base: int, most: int) -> int:
    """Return the channels of maps that have been doubled so many times from 4 pixels: base / size, at most `most`."""
    return max(min(base >> (2 + level), most), 1)
