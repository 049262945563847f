"""The figures of a run over its training, thinned while they are read: a curve is never held whole."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import lt
from typing import Any, NamedTuple

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


class Places:
    """Where some points lie on the axis; figures that were measured there share it.

    Attributes:
        xs: images seen, each greater than the one before.
        width: how wide the parts of the axis must be at least for one curve to have all these points.
    """

    def __init__(self, xs: Sequence[float]) -> None:
        self.xs = xs
        self._parts: dict[int, list[tuple[float, int]]] = {}
        self.width = 1
        # Wide enough for sure; narrower only where the points lie close together.
        while (xs[-1] - xs[0]) // self.width >= HELD:
            self.width *= 2
        while self.width > 1 and len({x // (self.width // 2) for x in xs}) <= HELD:
            self.width //= 2

    def parts(self, width: int) -> list[tuple[float, int]]:
        """Return the parts of the axis in which there are points, each with the number of the first of them."""
        if width not in self._parts:
            first = {x // width: i for i, x in zip(range(len(self.xs) - 1, -1, -1), reversed(self.xs), strict=True)}
            self._parts[width] = list(first.items())
        return self._parts[width]


@dataclass
class Figure:
    """A figure: what is left of its curve, and what was seen of all that was taken up.

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

    def take(self, places: Places, values: Sequence[float]) -> None:
        """Take up points.

        Args:
            places: where they are.
            values: the figure at each.
        """
        if places.xs[-1] >= self._last_x:
            self._last_x, self.last = places.xs[-1], values[-1]
        if places.width > self._width:
            self._widen(places.width)
        kept = self._kept
        for part, i in places.parts(self._width):
            x = places.xs[i]
            if part not in kept or x <= kept[part][0]:
                kept[part] = (x, values[i])
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
            joined.take(Places([x for x, _ in part.curve]), [value for _, value in part.curve])
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


class Gathering:
    """Figures that are taken up line by line.

    Args:
        name: what messages call the file.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: dict[str, Figure] = {}
        # Lines with the same figures are turned into columns, which Python then looks at as a whole.
        self._blocks: dict[tuple[str, ...], _Block] = {}
        self._waiting = 0

    def add(self, images_seen: Any, metrics: Any, line: int, size: int) -> None:
        """Take up a line.

        Args:
            images_seen: as it was read, whatever it is.
            metrics: the figures by name, as they were read; a figure that is None was not finite.
            line: its number, for messages.
            size: its bytes.

        Raises:
            Damaged: `metrics` is no mapping, or what waits is found to be no figures.
        """
        if not isinstance(metrics, dict):
            raise Damaged(f"{self._name}: line {line}: metrics is {shown(metrics)} and not a mapping")
        names = tuple(metrics)
        block = self._blocks.get(names)
        if block is None:
            block = self._blocks[names] = _Block([], [], [])
        block.xs.append(images_seen)
        block.lines.append(line)
        block.rows.append(metrics.values())
        self._waiting += size
        if self._waiting >= BLOCK:
            self._take_up()

    def figures(self) -> dict[str, Figure]:
        """Return the figures by name; nothing more is taken up.

        Raises:
            Damaged: `images_seen` or a value is no finite number, or there are too many figures.
        """
        self._take_up()
        for figure in self._found.values():
            figure.pack()
        return self._found

    def _take_up(self) -> None:
        blocks, self._blocks, self._waiting = self._blocks, {}, 0
        for names, block in blocks.items():
            self._require_numbers(block.xs, "images_seen", block.lines)
            columns = zip(*block.rows, strict=True)
            # What was measured twice at one place, as after a resume, or in another order, is put in order.
            in_order = all(map(lt, block.xs, block.xs[1:]))
            shared = Places(block.xs) if in_order else None
            for name, column in zip(names, columns, strict=True):
                self._column(name, block, column, shared)

    def _column(self, name: str, block: _Block, values: Sequence[Any], shared: Places | None) -> None:
        xs, lines, types = block.xs, block.lines, set(map(type, values))
        if type(None) in types:
            there = [value is not None for value in values]
            xs, lines, values = (list(compress(each, there)) for each in (xs, lines, values))
            shared = None
        if not values:
            return
        self._require_numbers(values, f"metrics.{brief(name, NAME)}", lines)
        if name not in self._found and len(self._found) >= MOST:
            raise Damaged(f"{self._name}: line {lines[0]}: there are more than {MOST:,} figures")
        figure = self._found.setdefault(name, Figure())
        figure.see(values)
        if shared is None:
            later = dict(zip(xs, values, strict=True))  # of two at one place, the later one counts
            xs = sorted(later)
            shared, values = Places(xs), [later[x] for x in xs]
        figure.take(shared, values)

    def _require_numbers(self, values: Sequence[Any], name: str, lines: list[int]) -> None:
        if not set(map(type, values)) <= NUMBERS or not -LARGEST <= min(values) <= max(values) <= LARGEST:
            wrong = next(i for i, value in enumerate(values) if not is_number(value))
            raise Damaged(
                f"{self._name}: line {lines[wrong]}: {name} is {shown(values[wrong])} and not a finite number"
            )


class _Block(NamedTuple):
    """Lines with the same figures: images seen, the lines' numbers, and their values."""

    xs: list[Any]
    lines: list[int]
    rows: list[Iterable[Any]]
