"""Where a run's numbers go: `metrics.jsonl` always, and the trackers that the configuration names.

`metrics.jsonl` is part of the run: if it cannot be written, the run fails. Every other tracker is
an extra: it works on a thread of its own, and trouble in it never ends or slows training.
"""

from __future__ import annotations

import json
import logging
import math
import os
import queue
import re
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from gan_framework.errors import RunFailed
from gan_framework.registry import registry
from gan_framework.storage.files import atomic, finite, write_text
from gan_framework.storage.secrets import mask

logger = logging.getLogger(__name__)

METRICS_FILE = "metrics.jsonl"
RUN_ID_FILE = ".run_id"
WAITING_RECORDS = 10_000
STOPPED_DEADLINE = 3.0
"""Seconds that a run stopped by a signal waits for its trackers: it must be gone soon."""
ABANDON_DEADLINE = 2.0


@dataclass
class RunInfo:
    """What a tracker is told of a run.

    Attributes:
        folder: the run's folder.
        config: the resolved configuration, plain values only; secrets in it are masked.
        job_type: what the run does.
        sweep: the name of the sweep that the run belongs to, or None.
        resumed: whether the run goes on from a checkpoint in its folder.
        run_id: names the run, the same after every resume; read from the folder if not given.
    """

    folder: Path
    config: dict[str, Any]
    job_type: str = "train"
    sweep: str | None = None
    resumed: bool = False
    run_id: str = ""

    def __post_init__(self) -> None:
        self.config = mask(self.config)
        self.run_id = self.run_id or stored_run_id(self.folder)


def stored_run_id(folder: Path) -> str:
    """Return the id stored in a run's folder; the first call makes it.

    Raises:
        RunFailed: the id can be neither read nor written.
    """
    path = folder / RUN_ID_FILE
    try:
        if not path.is_symlink() and path.exists() and (known := path.read_text().strip()):
            return known
        slug = re.sub(r"[^A-Za-z0-9]+", "-", folder.resolve().name).strip("-")[:40]
        made = f"{slug}-{uuid.uuid4().hex[:8]}".lstrip("-")
        write_text(path, made)
        return made
    except (OSError, UnicodeDecodeError) as error:
        raise RunFailed(f"the run's id cannot be kept in {path}: {error}") from error


class Tracker(ABC):
    """Shows a run's progress somewhere.

    Optional trackers are called on a thread of their own, one call at a time, in order; an error
    they raise is reported once and ends the tracker, not the run. A wrong setting should raise
    ConfigError when the tracker is made, before any training.

    Attributes:
        deadline: seconds that a finished run waits for the tracker.
        kept: where what was logged so far is to be found if the tracker fails, for the warning.
    """

    deadline: float = 30.0
    kept: str = "metrics.jsonl in the run's folder has everything"

    @abstractmethod
    def start(self, run: RunInfo) -> None:
        """Begin or resume a run."""

    @abstractmethod
    def log(self, record: Mapping[str, Any]) -> None:
        """Take one line of `metrics.jsonl`: step, images_seen, updates, seconds, metrics."""

    def image(self, name: str, path: Path, record: Mapping[str, Any]) -> None:  # noqa: B027 (optional)
        """Take an image file; the record says when it was made (step, images_seen, seconds)."""

    def finish(self, summary: Mapping[str, Any]) -> None:  # noqa: B027 (optional)
        """End the run with what `summary.json` holds."""

    def abandon(self) -> None:  # noqa: B027 (optional)
        """Let go of processes and files without waiting: the tracker has failed, or hangs in a call."""


class Jsonl(Tracker):
    """Writes `metrics.jsonl`: one strict JSON object per line, in the file as soon as it is logged.

    A number that is not finite is written as null. Every method raises RunFailed if the file
    cannot be written.
    """

    def __init__(self) -> None:
        self._path = Path()
        self._file: FileIO | None = None

    def start(self, run: RunInfo) -> None:
        """Open the file, empty unless the run is resumed."""
        self._path = run.folder / METRICS_FILE
        if run.resumed:
            self.truncate_after(math.inf)
        else:
            self._rewrite([])

    def log(self, record: Mapping[str, Any]) -> None:
        """Append one line."""
        assert self._file is not None, "log comes after start"
        rest = memoryview(json.dumps(finite(record), allow_nan=False).encode() + b"\n")
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise self._failure(error) from error

    def truncate_after(self, step: float) -> None:
        """Drop the lines of later steps, and a last line that was cut off while it was written."""
        try:
            lines = self._path.read_bytes().splitlines(keepends=True) if self._path.exists() else []
        except OSError as error:
            raise self._failure(error) from error
        self._rewrite([line for line in lines if _step(line) <= step])

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rewrite(self, lines: list[bytes]) -> None:
        if self._file is not None:
            self._file.close()
        try:
            with atomic(self._path) as file:
                file.writelines(lines)
            self._file = FileIO(os.open(self._path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)), "a")
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> RunFailed:
        return RunFailed(f"{self._path} cannot be written: {error.strerror or error}")


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

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Wait until the tracker has finished, no longer than its deadline."""
        self.call("finish", summary)
        stopped = summary.get("status") == "stopped"
        deadline = min(self.tracker.deadline, STOPPED_DEADLINE) if stopped else self.tracker.deadline
        if not self._failed.is_set():
            self._thread.join(deadline)
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
            mask(why),
            self.tracker.kept,
        )
        abandoning = threading.Thread(target=self.tracker.abandon, daemon=True)
        abandoning.start()
        abandoning.join(ABANDON_DEADLINE)
        self._abandoned.set()


class Trackers:
    """All trackers of a run: `metrics.jsonl` and the optional ones."""

    def __init__(self, optional: Mapping[str, Tracker]) -> None:
        self._jsonl = Jsonl()
        self._optional = [Background(name, tracker) for name, tracker in optional.items()]

    def start(self, run: RunInfo) -> None:
        """Begin or resume a run.

        Raises:
            RunFailed: `metrics.jsonl` cannot be written.
        """
        self._jsonl.start(run)
        for tracker in self._optional:
            tracker.start(run)

    def truncate_after(self, step: int) -> None:
        """Drop what `metrics.jsonl` holds of later steps than the checkpoint that the run resumes from.

        Raises:
            RunFailed: `metrics.jsonl` cannot be written.
        """
        self._jsonl.truncate_after(step)

    def log(self, record: Mapping[str, Any]) -> None:
        """Log one record: step, images_seen, updates, seconds, metrics.

        Raises:
            RunFailed: `metrics.jsonl` cannot be written.
        """
        self._jsonl.log(record)
        for tracker in self._optional:
            tracker.call("log", record)

    def image(self, name: str, path: Path, record: Mapping[str, Any]) -> None:
        """Show an image file; the record says when it was made (step, images_seen, seconds)."""
        for tracker in self._optional:
            tracker.call("image", name, path, record)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """End the run with what `summary.json` holds; waits for each tracker until its deadline."""
        self._jsonl.finish(summary)
        summary = mask(summary)
        for tracker in self._optional:
            tracker.finish(summary)


def build_trackers(settings: Mapping[str, Mapping[str, Any]]) -> Trackers:
    """Build the trackers of a configuration: a plugin's `name` and settings under any key.

    Raises:
        ConfigError: a tracker or a setting that does not exist, or a package that is missing.
    """
    return Trackers({key: registry.build("trackers", config) for key, config in settings.items()})


def _step(line: bytes) -> float:
    """Return the step of a line, infinitely late for one that is cut off."""
    if not line.endswith(b"\n"):
        return math.nan
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.nan
