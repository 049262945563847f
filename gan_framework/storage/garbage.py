"""When Python looks for objects that nothing but each other refers to."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 300_000
"""New objects after which Python looks while a command starts; its own are 700."""

_usual: list[tuple[int, int, int]] = []
"""The thresholds that are to come back; none where they are those now."""


@contextmanager
def seldom() -> Iterator[None]:
    """Have Python look seldom until `as_usual` is called or the context ends.

    What a command imports is there to stay, and to look through all of it again and again takes a seventh of a start.
    """
    thresholds = gc.get_threshold()
    if 0 < thresholds[0] < SELDOM:
        _usual.append(thresholds)
        gc.set_threshold(SELDOM, *thresholds[1:])
    try:
        yield
    finally:
        as_usual()


def as_usual() -> None:
    """Have Python look as it does by itself; called before what may let go of large tensors again and again."""
    while _usual:
        gc.set_threshold(*_usual.pop())


def left_at_exit() -> None:
    """Have Python exit without looking, which takes most of a second after torch was imported."""
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
