"""Where what takes long can be stopped: between batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_check: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)


@contextmanager
def stoppable(check: Callable[[], None]) -> Iterator[None]:
    """Have `stop_point` inside the context call something that raises if a stop was requested."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def stop_point() -> None:
    """Let a requested stop take effect here; called between the batches of everything that takes long."""
    check = _check.get()
    if check is not None:
        check()
