"""Runs jobs, several at once, until a time."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Iterable

from evidence.job import Job, Started, end, prepare, start

PAUSE = 0.02
"""Seconds between looks at what runs."""

GRACE = 4.0
"""Seconds that a run has to come to an end once it is asked to stop."""


def run_all(jobs: Iterable[Job], at_once: int = 1, seconds: float | None = None) -> list[Job]:
    """Run jobs in their order, and return those that were not started.

    Args:
        jobs: what is to be run.
        at_once: how many run at the same time.
        seconds: after so many no further job starts and those that run are asked to stop; None for no such limit.
    """
    until = None if seconds is None else time.monotonic() + seconds
    waiting = deque(jobs)
    if not waiting:
        return []
    prepare()
    running: dict[int, Started] = {}
    asked: dict[int, float] = {}
    try:
        while waiting or running:
            now = time.monotonic()
            over = until is not None and now >= until
            if over and not running:
                break
            while waiting and len(running) < at_once and not over:
                job = waiting.popleft()
                print(f"{len(waiting) + 1} to go: {job.name}", flush=True)
                begun = start(job, now)
                running[begun.pid] = begun
            for pid in [pid for pid, run in running.items() if over or _late(run, now)]:
                _ask(pid, asked, now)
            if not _collect(running):
                time.sleep(PAUSE)
    finally:
        for pid in running:
            os.kill(pid, signal.SIGKILL)
    return list(waiting)


def _late(run: Started, now: float) -> bool:
    return run.job.limit is not None and now > run.began + run.job.limit


def _ask(pid: int, asked: dict[int, float], now: float) -> None:
    """Ask a process to stop, and make it stop if it was asked a while ago."""
    if pid not in asked:
        asked[pid] = now
        os.kill(pid, signal.SIGTERM)
    elif now > asked[pid] + GRACE:
        os.kill(pid, signal.SIGKILL)


def _collect(running: dict[int, Started]) -> bool:
    """Have the outcomes of processes that have ended taken, and return whether there were any."""
    ended = False
    for pid in list(running):
        found, status, used = os.wait4(pid, os.WNOHANG)
        if found:
            end(running.pop(pid), os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime)
            ended = True
    return ended
