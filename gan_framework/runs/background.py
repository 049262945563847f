"""Runs an optional tracker beside training, which trouble in it never ends or slows."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Mapping
from typing import Any

from gan_framework.runs.signals import StopRequest
from gan_framework.runs.tracker import RunInfo, Tracker

logger = logging.getLogger(__name__)

WAITING_RECORDS = 10_000
STOPPED_DEADLINE = 3.0
"""Seconds that a run stopped by a signal waits for its trackers: it must be gone soon."""
ABANDON_DEADLINE = 2.0
POLL = 0.1
"""Seconds between two looks at whether a stop was requested."""


class Background:
    """Runs an optional tracker on a thread of its own and lets go of it when it fails.

    Calls wait in a queue, so a server that answers slowly does not slow training; a tracker
    that stops taking calls is let go of when the queue is full.
    """

    def __init__(self, name: str, tracker: Tracker) -> None:
        self.name = name
        self.tracker = tracker
        self._calls: queue.Queue[tuple[str, tuple[Any, ...]]] = queue.Queue(WAITING_RECORDS)
        self._failed = threading.Event()
        self._abandoned = threading.Event()
        self._reporting = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=f"tracker-{name}", daemon=True)

    def start(self, run: RunInfo) -> None:
        """Start the thread and the tracker on it."""
        self._thread.start()
        self.call("start", run)

    def call(self, method: str, *arguments: Any) -> None:
        """Have the tracker's method called soon."""
        if self._failed.is_set():
            return
        try:
            self._calls.put_nowait((method, arguments))
        except queue.Full:
            self._let_go(f"{WAITING_RECORDS} calls wait for it")

    def finish(self, summary: Mapping[str, Any], stop: StopRequest) -> None:
        """Wait until the tracker has finished, no longer than its deadline, or a little once a stop is requested."""
        self.call("finish", summary)
        start, deadline = time.monotonic(), self.tracker.deadline
        while self._thread.is_alive() and not self._failed.is_set() and time.monotonic() - start < deadline:
            if stop.requested or summary.get("status") == "stopped":
                deadline = min(deadline, STOPPED_DEADLINE)
            self._thread.join(POLL)
        if self._thread.is_alive():
            self._let_go(f"it has not finished within {deadline:g} s")
        if self._failed.is_set():
            self._abandoned.wait(ABANDON_DEADLINE)

    def _work(self) -> None:
        method = ""
        while method != "finish" and not self._failed.is_set():
            method, arguments = self._calls.get()
            try:
                getattr(self.tracker, method)(*arguments)
            except BaseException as error:  # noqa: B036 (nothing a tracker does may end the run)
                self._let_go(f"{method}: {type(error).__name__}: {error}")

    def _let_go(self, why: str) -> None:
        if not self._reporting.acquire(blocking=False):
            return
        self._failed.set()
        logger.warning(
            "the tracker %s has failed and is left out from now on (%s); %s",
            self.name,
            why,
            self.tracker.kept,
        )
        abandoning = threading.Thread(target=self.tracker.abandon, daemon=True)
        abandoning.start()
        abandoning.join(ABANDON_DEADLINE)
        self._abandoned.set()
