"""Stopping a run in an orderly way when a signal asks for it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any


def _known(*names: str) -> tuple[signal.Signals, ...]:
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


SIGNALS = _known("SIGTERM", "SIGINT", "SIGUSR2")
"""What asks a run to stop: a user, a cluster."""

UNLESS_IGNORED = _known("SIGHUP", "SIGUSR1", "SIGXCPU")
"""What else does: a closed terminal, a cluster, a limit of processor time; ignored, it stays so, as under nohup."""


class Interrupted(BaseException):
    """A stop was requested, and what was under way has been left; nothing on the way may take it for its own error."""


class StopRequest:
    """Notes the signals that ask for a stop while it is entered; a second SIGINT ends the process at once.

    A run asks it after each step, each batch that is scored and each picture. Afterwards whoever handled the signal
    before is told of it too: a cluster's launcher requeues the job on SIGUSR2, but only once the run has been saved.

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

    def request(self, reason: str) -> None:
        """Request a stop."""
        self.requested = True
        self.reason = reason

    def withdraw(self) -> None:
        """Take a request back that has been met."""
        self.requested, self.reason = False, ""

    def check(self) -> None:
        """Raise Interrupted if a stop was requested."""
        if self.requested:
            raise Interrupted

    def __enter__(self) -> StopRequest:
        # Only the main thread may set handlers; elsewhere signals keep their usual meaning.
        if threading.current_thread() is threading.main_thread():
            others = [number for number in UNLESS_IGNORED if signal.getsignal(number) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._note) for number in (*SIGNALS, *others)}
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
        if self._number is not None:
            if number == signal.SIGINT:
                os._exit(130)
            return
        self._number = number
        self.request(signal.Signals(number).name)
        if self.relay is not None:
            self.relay(number)
