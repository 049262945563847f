"""Reading many runs, side by side where that is worth it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path

from gan_framework.compare.folder import read_run
from gan_framework.compare.records import Damaged, Record
from gan_framework.storage.layout import RunFolder

WORTH_IT = 32 * 2**20
"""Bytes of metrics from which on processes are started: a little is read before they are there."""
MOST = 8
"""Processes; this one takes up what they have read."""


def read_runs(folders: Iterable[Path]) -> list[Record | Damaged]:
    """Read runs' folders, in their order; what is damaged is returned as such and hides no other."""
    folders = list(folders)
    workers = min(_cores(), MOST, len(folders))
    # Elsewhere than on Linux forking is not safe, and anything else would run the caller's script again.
    if sys.platform != "linux" or workers < 2 or sum(map(_size, folders)) < WORTH_IT:
        return [read_run(folder) for folder in folders]
    found = _side_by_side(folders, workers)
    # A process that was killed, perhaps for its memory, has left some out.
    return [found[i] if i in found else read_run(folder) for i, folder in enumerate(folders)]


def _side_by_side(folders: list[Path], workers: int) -> dict[int, Record | Damaged]:
    """Return runs by their places in the list, as far as the processes came."""
    context = multiprocessing.get_context("fork")
    numbers: dict[Connection, Iterator[int]] = {}
    processes = []
    found: dict[int, Record | Damaged] = {}
    try:
        for first in range(workers):
            receiver, sender = context.Pipe(duplex=False)
            numbers[receiver] = iter(range(first, len(folders), workers))
            process = context.Process(target=_read, args=(folders[first::workers], sender, [*numbers]), daemon=True)
            process.start()
            sender.close()
            processes.append(process)
        while numbers:
            ready = wait([*numbers])
            for receiver in [one for one in numbers if one in ready]:
                try:
                    run = receiver.recv()
                    found[next(numbers[receiver])] = run
                except (EOFError, OSError):
                    del numbers[receiver]
    finally:
        for process in processes:
            process.kill()
            process.join()
    return found


def _read(folders: list[Path], sender: Connection, receivers: list[Connection]) -> None:
    # Ctrl-C reaches all processes of a terminal; this one ends with its parent, when nobody receives any more.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for receiver in receivers:
        receiver.close()
    try:
        for folder in folders:
            sender.send(read_run(folder))
    except BrokenPipeError:
        pass


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _size(folder: Path) -> int:
    try:
        return os.lstat(RunFolder(folder).metrics).st_size
    except OSError:
        return 0
