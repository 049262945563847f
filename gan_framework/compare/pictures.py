"""The sample grids on the comparison's page: as many, and as large, as there is room for."""

from __future__ import annotations

import base64
import io
from typing import Any

from gan_framework.compare.groups import Group
from gan_framework.compare.records import Grid
from gan_framework.errors import ConfigError
from gan_framework.storage.foreign import Damaged

GRIDS = 6
"""Sample grids of a group, evenly spread over training."""
PICTURED = 24
"""Groups whose sample grids are shown, best first."""
GOOD = 16_000
"""Bytes in which a grid of samples is well seen; where there are fewer for each, fewer grids are shown."""
DECODED = 2**24
"""Pixels of a picture that is made smaller; decoded, each takes up to four bytes."""
SMALLER = ((480, 80), (480, 50), (320, 60), (320, 30), (240, 30), (160, 30))
"""Pixels at most on a side, and WebP's quality, in which a picture is tried until it is small enough."""


def shown(groups: list[Group], room: int, left_out: list[str]) -> list[list[dict[str, str]]]:
    """Return each group's grids, those of its first run, as pictures for the page.

    Args:
        groups: best first.
        room: characters that all of them together may take.
        left_out: takes up, a line each, what cannot be shown.
    """
    bytes_left = room * 3 // 4  # base64 writes three bytes as four characters
    pictured = [group for group in groups[:PICTURED] if group.runs and group.runs[0].grids]
    each = bytes_left // max(len(pictured), 1)
    most = max(2, min(GRIDS, each // GOOD))
    found: list[list[dict[str, str]]] = []
    for group in groups:
        found.append([])
        if not any(group is one for one in pictured):
            continue
        for grid in spread_out(group.runs[0].grids, most):
            try:
                kind, picture = _small(grid, each // most)
            except (ConfigError, OSError) as error:
                left_out.append(f"{group.runs[0].place}: {error}")
                continue
            if len(picture) > bytes_left:
                left_out.append(f"{group.runs[0].place}: the picture of step {grid.step}: there is no room for it")
                continue
            bytes_left -= len(picture)
            found[-1].append(
                {"step": str(grid.step), "image": f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"}
            )
    return found


def _small(grid: Grid, most: int) -> tuple[str, bytes]:
    """Return a grid's kind and file: as it is if it is small enough, and else smaller, which is seldom seen.

    Raises:
        Damaged: it cannot be decoded.
        OSError: it cannot be read.
    """
    png = grid.read()
    width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
    if len(png) <= most or width * height > DECODED:
        return "png", png
    from PIL import Image, features

    kind = "webp" if features.check("webp") else "jpeg"
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as opened:
            image = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Damaged(f"the picture of step {grid.step} cannot be decoded: {error}") from error
    for side, quality in SMALLER:
        image.thumbnail((side, side), reducing_gap=2)
        file = io.BytesIO()
        image.save(file, kind, quality=quality)
        if file.tell() <= most:
            break
    smallest = file.getvalue()
    return (kind, smallest) if len(smallest) < len(png) else ("png", png)


def spread_out(items: list[Any], most: int) -> list[Any]:
    """Return at most so many items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return items
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]
