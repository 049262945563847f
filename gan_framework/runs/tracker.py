"""The contract of a tracker: shows a run's progress somewhere."""

from __future__ import annotations

import os
import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan_framework.errors import RunFailed
from gan_framework.runs.logs import LogPart, log_of
from gan_framework.storage.files import write_text
from gan_framework.storage.foreign import Damaged, read_text
from gan_framework.storage.layout import RunFolder
from gan_framework.storage.secrets import mask

ID_BYTES = 1024
"""The largest file of a run's id."""


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
        name: what people call the run, `dcgan-hinge-fm-s1`; by default its folder, with the folder around it.
        log: the part of `run.log` that this process writes, in which secrets are masked; None where it writes none.
    """

    folder: Path
    config: dict[str, Any]
    job_type: str = "train"
    sweep: str | None = None
    resumed: bool = False
    run_id: str = ""
    name: str = ""
    log: LogPart | None = None

    def __post_init__(self) -> None:
        self.config = mask(self.config)
        self.run_id = self.run_id or stored_run_id(self.folder)
        self.name = mask(self.name or "/".join(self.folder.resolve().parts[-2:]))
        self.log = self.log or log_of(self.folder)


def stored_run_id(folder: Path) -> str:
    """Return the id stored in a run's folder; the first call makes it, or takes the one of a sweep's planner.

    Raises:
        RunFailed: the id can be neither read nor written.
    """
    path = RunFolder(folder).run_id
    try:
        if known := _known_id(path):
            return known
        slug = re.sub(r"[^A-Za-z0-9]+", "-", folder.resolve().name).strip("-")[:40]
        made = planned_id() or f"{slug}-{uuid.uuid4().hex[:8]}".lstrip("-")
        write_text(path, made)
        return made
    except OSError as error:
        raise RunFailed(f"the run's id cannot be kept in {path}: {error}") from error


def _known_id(path: Path) -> str | None:
    """Return what stands in the file of an id; None if that is none, and another file is to take its place."""
    try:
        known = read_text(path, path.parent, ID_BYTES).strip()
    except (FileNotFoundError, Damaged):
        return None
    return known if known.isprintable() else None


def planned_id() -> str | None:
    """Return the id that a W&B agent has given the run that it started this process for, or None without an agent."""
    planned = os.environ.get("WANDB_RUN_ID", "") if os.environ.get("WANDB_SWEEP_ID") else ""
    return planned if re.fullmatch(r"[A-Za-z0-9_-]{1,128}", planned) else None


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
        """Take one line of `metrics.jsonl`: step, images_seen, updates, seconds, metrics.

        The metrics have one more, `train/images_per_second`: of two runs with one seed it differs.
        """

    def image(self, name: str, path: Path, record: Mapping[str, Any]) -> None:  # noqa: B027 (optional)
        """Take an image file; the record says when it was made (step, images_seen, seconds)."""

    def warn(self, trouble: str, record: Mapping[str, Any]) -> None:  # noqa: B027 (optional)
        """Take a trouble that has begun, `name: what it means`; the record says when (step, images_seen, seconds).

        That a run has failed is said by the `status` and the `error` of its summary.
        """

    def finish(self, summary: Mapping[str, Any]) -> None:  # noqa: B027 (optional)
        """End the run with what `summary.json` holds."""

    def abandon(self) -> None:  # noqa: B027 (optional)
        """Let go of processes and files without waiting: the tracker has failed, or hangs in a call."""
