"""The figures of a run over its training, thinned while they are read: a curve is never held whole."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from gan_framework.storage.foreign import Damaged
from gan_framework.storage.plain import shown
from gan_framework.storage.text import brief

Curve = list[tuple[float, float]]
"""Pairs of images seen and value, in the order of images seen."""

HELD = 256
"""Points of a curve that are held."""
BLOCK = 2**20
"""Bytes of lines that are taken up together."""
MOST = 2_000
"""Figures of a run."""
LARGEST = 1.7e308
"""What a float holds."""
NAME = 80
"""Characters of a figure's name that a message shows."""

NUMBERS = frozenset({int, float})


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number that a float can hold; true and false are none."""
    return type(value) in NUMBERS and -LARGEST <= value <= LARGEST


@dataclass
class Figure:
    """A figure: what is left of its curve, and what was seen of all of it.

    The axis is cut into equal parts, as wide as a power of two, of each of which the first point is
    kept; the width doubles whenever there are too many. So curves that were measured at the same
    places keep the same ones, as long as they are equally long, and the ones of the longer where not.

    Attributes:
        least: the least value.
        greatest: the greatest value.
        last: the value where most images were seen.
    """

    least: float = math.inf
    greatest: float = -math.inf
    last: float = math.nan
    _last_x: float = -math.inf
    _width: int = 1
    _kept: dict[float, tuple[float, float]] = field(default_factory=dict, repr=False)
    _packed: tuple[array[float], array[float]] | None = field(default=None, repr=False)

    def see(self, values: Sequence[float]) -> None:
        """Take note of how small and how large values are."""
        self.least, self.greatest = min(self.least, min(values)), max(self.greatest, max(values))

    def take(self, xs: Sequence[float], values: Sequence[float], width: int) -> None:
        """Take up points.

        Args:
            xs: images seen, each greater than the one before.
            values: the figure at each.
            width: a power of two: what the parts of the axis are to be at least as wide as.
        """
        if xs[-1] >= self._last_x:
            self._last_x, self.last = xs[-1], values[-1]
        if width > self._width:
            self._widen(width)
        start = 0
        while start < len(xs):
            x = xs[start]
            part = x // self._width
            if part not in self._kept or x <= self._kept[part][0]:
                self._kept[part] = (x, values[start])
            start = bisect_left(xs, (part + 1) * self._width, start + 1)
        while len(self._kept) > HELD:
            self._widen(2 * self._width)

    def pack(self) -> None:
        """Keep the points in as little memory as they need; no more are taken up."""
        curve = self.curve
        self._packed = array("d", [x for x, _ in curve]), array("d", [value for _, value in curve])
        self._kept = {}

    def join(self, later: Figure) -> Figure:
        """Return the figure of this part of a run and of a later one."""
        joined = Figure()
        for part in (self, later):
            joined.see([part.least, part.greatest])
            joined.take([x for x, _ in part.curve], [value for _, value in part.curve], part._width)
        joined.pack()
        return joined

    @property
    def curve(self) -> Curve:
        """What is left of the curve; its last point is always there."""
        if self._packed is not None:
            return list(zip(*self._packed, strict=True))
        points = dict(self._kept[part] for part in sorted(self._kept))
        points[self._last_x] = self.last
        return list(points.items())

    def _widen(self, width: int) -> None:
        self._width = width
        wider: dict[float, tuple[float, float]] = {}
        for point in sorted(self._kept.values()):
            wider.setdefault(point[0] // width, point)
        self._kept = wider


Row = tuple[float, int, tuple[Any, ...]]
"""Images seen, the number of the line, and its values."""


class Gathering:
    """Figures that are taken up line by line."""

    def __init__(self) -> None:
        self._found: dict[str, Figure] = {}
        self._rows: dict[tuple[str, ...], list[Row]] = {}
        self._widths: dict[tuple[str, ...], int] = {}
        self._waiting = 0

    def add(self, images_seen: Any, metrics: Any, line: int, size: int) -> None:
        """Take up a line.

        Args:
            images_seen: as it was read, whatever it is.
            metrics: the figures by name, as they were read; a figure that is None was not finite.
            line: its number, for messages.
            size: its bytes.

        Raises:
            Damaged: `images_seen` is no number, or `metrics` no mapping.
        """
        if not is_number(images_seen):
            raise Damaged(f"line {line}: images_seen is {shown(images_seen)} and not a finite number")
        if not isinstance(metrics, dict):
            raise Damaged(f"line {line}: metrics is {shown(metrics)} and not a mapping")
        # Lines with the same figures are turned into columns, which Python then looks at as a whole.
        self._rows.setdefault(tuple(metrics), []).append((images_seen, line, tuple(metrics.values())))
        self._waiting += size
        if self._waiting >= BLOCK:
            self._take_up()

    def figures(self) -> dict[str, Figure]:
        """Return the figures by name; nothing more is taken up.

        Raises:
            Damaged: a value is no finite number, or there are too many figures.
        """
        self._take_up()
        for figure in self._found.values():
            figure.pack()
        return self._found

    def _take_up(self) -> None:
        for names, rows in self._rows.items():
            if not names:
                continue
            rows.sort(key=lambda row: row[0])
            xs = [x for x, _, _ in rows]
            repeated = len(set(xs)) < len(xs)
            width = self._width(names, xs)
            for name, column in zip(names, zip(*(values for _, _, values in rows), strict=True), strict=True):
                self._column(name, xs, column, rows, 1 if repeated else width, repeated)
        self._rows.clear()
        self._waiting = 0

    def _column(
        self, name: str, xs: Sequence[float], values: Sequence[Any], rows: list[Row], width: int, repeated: bool
    ) -> None:
        types = set(map(type, values))
        if type(None) in types:
            there = [value is not None for value in values]
            rows = list(compress(rows, there))
            xs, values, width = list(compress(xs, there)), list(compress(values, there)), 1
            types.discard(type(None))
        if not values:
            return
        if not types <= NUMBERS or not -LARGEST <= min(values) <= max(values) <= LARGEST:
            wrong = next(i for i, value in enumerate(values) if not is_number(value))
            raise Damaged(
                f"line {rows[wrong][1]}: metrics.{brief(name, NAME)} is {shown(values[wrong])} and not a finite number"
            )
        if name not in self._found and len(self._found) >= MOST:
            raise Damaged(f"line {rows[0][1]}: there are more than {MOST:,} figures")
        figure = self._found.setdefault(name, Figure())
        figure.see(values)
        if repeated:  # of what was measured twice at one place, the later one counts, as after a resume
            later = dict(zip(xs, values, strict=True))
            xs, values = list(later), list(later.values())
        figure.take(xs, values, width)

    def _width(self, names: tuple[str, ...], xs: list[float]) -> int:
        """Return how wide the parts of the axis must be at least for a curve that has all these points."""
        width = self._widths.get(names, 1)
        while len({x // width for x in xs}) > HELD:
            width *= 2
        self._widths[names] = width
        return width
