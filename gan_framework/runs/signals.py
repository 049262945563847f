"""Stopping a run in an orderly way when a signal asks for it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGUSR2") if hasattr(signal, name))


class Interrupted(BaseException):
    """Raised wherever the program is, because a stop was requested and its time is up."""


class StopRequest:
    """Notes SIGTERM, SIGINT and SIGUSR2 while it is entered; a second SIGINT ends the process at once.

    Afterwards whoever handled the signal before is told of it too: a cluster's launcher requeues
    the job on SIGUSR2, but only once the run has been saved.

    Attributes:
        requested: whether a stop was requested.
        reason: the signal's name, or who else requested it.
        relay: called with each signal as it arrives.
    """

    def __init__(self) -> None:
        self.requested = False
        self.reason = ""
        self.relay: Callable[[int], object] | None = None
        self._number: int | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._patience: float | None = None
        self._timer: threading.Timer | None = None
        self._time_is_up = False

    def request(self, reason: str) -> None:
        """Request a stop."""
        self.requested = True
        self.reason = reason

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Raise Interrupted so long after a signal has asked for a stop, if the context has not been left by then.

        What is done in it must be such that it can be left anywhere: `within(0)` leaves it at once.
        """
        before, self._patience = self._patience, seconds
        try:
            if self._number is not None:
                self._wait()
            yield
        finally:
            self._patience = before
            if self._timer is not None:
                self._timer.cancel()

    def __enter__(self) -> StopRequest:
        # Only the main thread may set handlers; elsewhere signals keep their usual meaning.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        before = self._before.get(signal.Signals(self._number)) if self._number is not None else None
        # Python's own handler of SIGINT would raise KeyboardInterrupt in place of what this one has led to.
        if callable(before) and before is not signal.default_int_handler:
            before(self._number, None)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._time_is_up:
            self._time_is_up = False
            if self._patience is not None:
                raise Interrupted
            return
        if self._number is not None:
            if number == signal.SIGINT:
                os._exit(130)
            return
        self._number = number
        self.request(signal.Signals(number).name)
        if self.relay is not None:
            self.relay(number)
        self._wait()

    def _wait(self) -> None:
        """Raise Interrupted once the patience of the context is over; without one, never."""
        if self._patience is None:
            return
        if self._patience == 0:
            raise Interrupted
        self._timer = threading.Timer(self._patience, self._call)
        self._timer.daemon = True
        self._timer.start()

    def _call(self) -> None:
        # By a signal, because only its handler runs in the main thread, and because it ends a wait there.
        main = threading.main_thread().ident
        if hasattr(signal, "pthread_kill") and main is not None and self._number is not None:
            self._time_is_up = True
            signal.pthread_kill(main, self._number)
