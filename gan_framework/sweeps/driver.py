"""Has a sweep's jobs launched, sees them through trouble, and says at the end what became of them."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from gan_framework.errors import ConfigError, RunFailed, RunStopped
from gan_framework.runs.signals import StopRequest
from gan_framework.storage import files
from gan_framework.storage.lock import owned
from gan_framework.storage.secrets import mask
from gan_framework.storage.text import visible
from gan_framework.sweeps import again, ending
from gan_framework.sweeps.folders import Folders
from gan_framework.sweeps.job import STOP_FILE
from gan_framework.sweeps.naming import GIVEN, concerns_sweep, cores, run_name

log = logging.getLogger(__name__)

EXTRAS = {"submitit_local": "slurm", "submitit_slurm": "slurm"}
"""The extras of launchers and sweepers that are not named like them."""

ATTEMPTS = 3
"""How often jobs are launched when the worker processes that do them die."""


STUDY = ("study.db", "study.db-journal", "study.db-wal", "study.db-shm", "study.db.claim")
"""What a search writes in place, in its folder."""


def require(config: DictConfig, kind: str, module: str | None = None) -> None:
    """Raise ConfigError if the package behind the chosen launcher or sweeper is not installed."""
    name = str(config.hydra.runtime.choices[f"hydra/{kind}"])
    package = module or ".".join(str(config.hydra[kind]._target_).split(".")[:2])
    if find_spec(package) is None:
        extra = EXTRAS.get(name, name)
        raise ConfigError(
            f"hydra/{kind}={name} needs a package that is not installed: pip install 'gan-framework[{extra}]'"
        )


class Driver(Launcher):
    """A launcher around the chosen one: it survives dying workers, can be stopped, and remembers what became of jobs.

    Entered, it holds the sweep's folder and notes requests to stop.

    Attributes:
        folder: the sweep's folder.
        stop: whether the sweep is to stop.
        returns: what became of each job so far.
        swept: the settings that are swept, for the names of the runs' folders.
    """

    def __init__(self, launcher: Launcher, config: DictConfig) -> None:
        resumed = config.sweep.resume
        if resumed is not None:
            again.check(resumed, config.hydra.overrides.task)
        self.folder = Path(config.hydra.sweep.dir)
        self.stop = StopRequest()
        self.returns: list[JobReturn] = []
        self.swept: tuple[str, ...] = ()
        self._launcher = launcher
        self._kind = str(config.hydra.runtime.choices["hydra/launcher"])
        self._threads_are_set = "OMP_NUM_THREADS" in os.environ
        self._held = ExitStack()

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Set up the launcher around which this one is."""
        self._launcher.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def __enter__(self) -> Driver:
        self._held.enter_context(owned(self.folder, "sweep"))
        for name in STUDY:
            files.refuse_link(self.folder / name)
        stop_file = self.folder / STOP_FILE
        stop_file.unlink(missing_ok=True)
        self._held.callback(stop_file.unlink, missing_ok=True)
        self.stop.relay = lambda _: files.touch(stop_file)
        self._held.enter_context(self.stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def record(self, config: DictConfig) -> None:
        """Write what was asked for, with secrets masked."""
        content = mask(OmegaConf.to_container(config, resolve=False))
        files.write_text(self.folder / again.RECORD, OmegaConf.to_yaml(OmegaConf.create(content)))

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Launch jobs and return what became of them; of those that a request to stop came before, nothing."""
        if self._kind == "submitit_local" and not self._threads_are_set:  # starts them all at once
            os.environ["OMP_NUM_THREADS"] = str(max(cores() // len(job_overrides), 1))
        names = Folders(self.folder).name(job_overrides, self.swept)
        job_overrides = [[*job, f"{GIVEN}='{name}'"] for job, name in zip(job_overrides, names, strict=True)]
        returns: list[JobReturn] = []
        # One after another, the basic launcher is asked for them one by one: a stop needs no more.
        size = 1 if self._kind == "basic" else len(job_overrides)
        for start in range(0, len(job_overrides), size):
            if self.stop.requested:
                break
            returns += self._launch(job_overrides[start : start + size], initial_job_idx + start)
        self.returns += returns
        return returns

    def _launch(self, job_overrides: Sequence[Sequence[str]], first: int) -> Sequence[JobReturn]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._launcher.launch(job_overrides, first)
            except BrokenExecutor as error:
                # What was finished is not done again, and what was interrupted goes on from its checkpoints.
                log.warning("a worker process died (attempt %d of %d): %s", attempt, ATTEMPTS, _line(error))
        raise RunFailed(f"the workers of hydra/launcher={self._kind} died {ATTEMPTS} times; sweep.resume={self.folder}")

    def conclude(self) -> None:
        """Show which runs did not finish and why.

        Raises:
            RunFailed: a run failed.
            RunStopped: the sweep, or a run of it, was stopped.
        """
        unfinished = [job for job in self.returns if job.status is not JobStatus.COMPLETED]
        stopped = [job for job in unfinished if isinstance(job._return_value, RunStopped)]
        failed = len(unfinished) - len(stopped)
        if unfinished:
            _show(unfinished, set.intersection(*({*(job.overrides or ())} for job in self.returns)))
        done = f"{len(self.returns) - len(unfinished)} of {len(self.returns)} runs finished"
        for line in ending.ranking([job for job in self.returns if job.status is JobStatus.COMPLETED]):
            log.info("%s", line)
        resume = ending.command(ending.TYPED, self.folder)
        if self.stop.requested:
            raise RunStopped(f"the sweep was stopped by {self.stop.reason}: {done} so far; to resume: {resume}")
        if failed:
            retry = ending.command(ending.TYPED, self.folder, "sweep.retry_failed=true")
            raise RunFailed(f"{failed} of {len(self.returns)} runs failed, as listed above; to run them again: {retry}")
        if stopped:
            raise RunStopped(f"{len(stopped)} of {len(self.returns)} runs were stopped; to resume: {resume}")
        log.info("%s: %s; next: %s", done, self.folder, ending.quoted(["gan-framework", "compare", str(self.folder)]))


def why(job: JobReturn) -> str:
    """Return in one line why a job did not finish."""
    return _line(job._return_value)


def _line(error: Any) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _show(unfinished: Sequence[JobReturn], shared: set[str]) -> None:
    """Print a row for each job that did not finish, named by the overrides that not all jobs share."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Runs that did not finish", show_lines=True)
    for column in ("run", "status", "why", "folder"):
        table.add_column(column, overflow="fold")
    for job in unfinished:
        status = "stopped" if isinstance(job._return_value, RunStopped) else "failed"
        overrides = [override for override in job.overrides or () if not concerns_sweep(override)]
        own = [override for override in overrides if override not in shared]
        named = "\n".join(visible(text) for text in mask(own or overrides))
        table.add_row(*map(Text, (named, status, visible(mask(why(job))), visible(run_name(job.overrides or ())))))
    console = Console(stderr=True)
    if not console.is_terminal:
        console.width = max(console.width, 160)
    console.print(table)
