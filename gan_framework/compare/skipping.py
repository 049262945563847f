"""Lines of metrics.jsonl that need not be read as JSON, as nothing of them would be held: most of a long run's."""

from __future__ import annotations

import re

from gan_framework.compare.figures import HELD

NUMERALS = b"0123456789+-.eE"
"""What numbers are written with."""
IMAGES_SEEN = re.compile(rb'"images_seen": (\d{1,18})[,}]')
SCORE = b'"eval/'
"""What is in a line with scores, of which the best counts, wherever it is."""
SHAPES = 64
"""Shapes of lines that are told apart; a run has a few, one for each set of figures that are logged together."""


class Skipping:
    """Tells which lines to skip.

    Lines of one shape differ in their numbers alone, so after one was read as JSON and found to be
    right, the others are. Of these, a `Figure` holds one from each part of the axis: the others are
    skipped, by the same widths of the parts, except for the last one.
    """

    def __init__(self) -> None:
        self._shapes: dict[bytes, _Shape] = {}

    def skips(self, number: int, line: bytes) -> bool:
        """Return whether to skip a line; if not, it is to be read as JSON, and if that fails, none is read after it."""
        if SCORE in line:
            return False
        key = line.translate(None, NUMERALS)
        shape = self._shapes.get(key)
        found = IMAGES_SEEN.search(line)
        if shape is None or found is None:
            if found is not None and len(self._shapes) < SHAPES:
                self._shapes[key] = _Shape(int(found[1]))
            return False
        if shape.needs(int(found[1])):
            return False
        shape.skipped = (number, line)
        return True

    def last(self) -> list[tuple[int, bytes]]:
        """Return the last lines that were skipped, with their numbers: they are to be read after all."""
        return sorted(shape.skipped for shape in self._shapes.values() if shape.skipped is not None)


class _Shape:
    """Lines that differ in their numbers alone.

    Attributes:
        skipped: the number and the text of the last one, if it was skipped.
    """

    def __init__(self, x: int) -> None:
        self.skipped: tuple[int, bytes] | None = None
        self._x = x
        self._width = 1
        self._part = x
        self._parts = {x}

    def needs(self, x: int) -> bool:
        """Take up the images seen of a line, and return whether it is to be read."""
        if x <= self._x:  # measured again, or in another order
            return True
        self._x = x
        part = x // self._width
        if part == self._part:
            return False
        self._part = part
        self._parts.add(part)
        while len(self._parts) > HELD:
            self._width *= 2
            self._parts = {part // 2 for part in self._parts}
            self._part //= 2
        self.skipped = None
        return True
