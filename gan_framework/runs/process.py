"""A job in a process of its own, so that nothing it does, and not even its death, reaches another.

The process is forked: what its parent has imported is there at once. So the parent must never
compute with torch nor touch a GPU. Where processes cannot be forked safely (anywhere but on
Linux) the work is done in place: errors are caught all the same, a kill is not.
"""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TypeVar

from gan_framework.errors import ConfigError, GanFrameworkError, RunFailed, RunStopped
from gan_framework.runs.signals import StopRequest

log = logging.getLogger(__name__)

Result = TypeVar("Result")

POLL = 0.5
"""Seconds between two looks at whether the sweep is being stopped."""

EXIT_DEADLINE = 10.0
"""Seconds that a process may take to end once its work is done."""


class Killed(RunFailed):
    """A process died before it could say anything."""


def isolated(work: Callable[[StopRequest], Result], stop_file: Path) -> Result:
    """Do the work in a process of its own; a stop is requested of it by a signal or by the stop file.

    Raises:
        GanFrameworkError: the work raised it.
        RunFailed: the work raised another error, which has been logged.
        Killed: the process died.
    """
    with StopRequest() as stop:
        if sys.platform != "linux":
            return work(stop)
        _import_wanted()
        context = multiprocessing.get_context("fork")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(work, stop, sender))
        process.start()
        sender.close()
        assert process.pid is not None
        pid = process.pid
        stop.relay = lambda number: _signal(pid, number)
        if stop.requested:
            _signal(pid, signal.SIGTERM)
        _await(receiver, process.sentinel, pid, stop, stop_file)
        try:
            error, result, imported = receiver.recv()
        except EOFError:
            process.join()
            raise Killed(_obituary(process.exitcode)) from None
        process.join(EXIT_DEADLINE)
        if process.is_alive():
            process.kill()
            process.join()
    _wanted.update(dict.fromkeys(imported))
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def _await(receiver: Connection, sentinel: int, pid: int, stop: StopRequest, stop_file: Path) -> None:
    parent = os.getppid()
    while not wait([receiver, sentinel], timeout=POLL):
        if os.getppid() != parent:  # the sweep is gone, and nobody would learn of what this run does
            _signal(pid, signal.SIGKILL)
            os._exit(1)
        if not stop.requested and stop_file.exists():
            stop.request("the end of the sweep")
            _signal(pid, signal.SIGTERM)


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _obituary(code: int | None) -> str:
    if code is None or code >= 0:
        return f"its process ended with exit code {code} before the run did"
    name = signal.Signals(-code).name
    guess = " (by somebody, or by the system for want of memory)" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{guess}"


def _work(work: Callable[[StopRequest], object], stop: StopRequest, sender: Connection) -> None:
    # Signals of the terminal reach the parent only, which hands each on once.
    os.setpgrp()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    known = set(sys.modules)
    error: GanFrameworkError | None = None
    result: object = None
    try:
        result = work(stop)
    except GanFrameworkError as known_error:
        # As one of ours: a plugin's own may not survive the pipe.
        error = {2: ConfigError, 3: RunStopped}.get(known_error.exit_code, RunFailed)(str(known_error))
    except BaseException as unknown:  # noqa: B036 (nothing a job does may end the sweep)
        log.exception("the run failed")
        error = RunFailed(f"{type(unknown).__name__}: {' '.join(str(unknown).split())}")
    sender.send((error, result, [name for name in sys.modules if name not in known]))
    sender.close()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


_wanted: dict[str, None] = {}
"""What earlier runs have imported, in their order."""


def _import_wanted() -> None:
    """Import what earlier runs have imported, so that the next one finds it there."""
    for name in _wanted:
        with suppress(Exception):  # some modules exist only in the process that made them
            importlib.import_module(name)
    _wanted.clear()
