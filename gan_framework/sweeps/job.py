"""One job of a sweep: skipped if it has been done, else done in a process of its own."""

from __future__ import annotations

import json
import logging
import os
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from gan_framework.errors import ConfigError, RunFailed, RunStopped
from gan_framework.runs.logs import name_lines
from gan_framework.runs.orphans import when_orphaned
from gan_framework.runs.process import Killed, isolated
from gan_framework.runs.signals import StopRequest
from gan_framework.storage.layout import RunFolder
from gan_framework.storage.lock import abandoned
from gan_framework.storage.secrets import mask
from gan_framework.sweeps.naming import concerns_sweep, sweep_name

log = logging.getLogger(__name__)

LONGEST_LEAD = 40
"""Characters of a run's name in front of its lines; where it is longer stands the job's number."""

STOP_FILE = ".stop"
"""Lies in a sweep's folder while the sweep is being stopped: every job of it sees it, wherever it runs."""


def run_job(config: DictConfig, hydra: DictConfig, settings: DictConfig) -> float | None:
    """Do one job of a sweep and return its best score.

    A run that is finished is not run again, one that failed only if `sweep.retry_failed`, and one
    that was interrupted goes on from its newest checkpoint.

    Args:
        config: the run's configuration.
        hydra: Hydra's.
        settings: the settings under `sweep`.

    Raises:
        ConfigError: the request was wrong.
        RunFailed: the run failed, now or earlier.
        RunStopped: the run, or the sweep, was stopped and can be resumed.
    """
    folder, sweep = Path(hydra.runtime.output_dir), Path(hydra.sweep.dir)
    launcher = hydra.runtime.choices["hydra/launcher"]
    if launcher != "basic":  # runs at the same time
        name_lines(folder.name if len(folder.name) <= LONGEST_LEAD else f"job {hydra.job.num}")
    overrides = [override for override in hydra.overrides.task if not concerns_sweep(override)]
    known = _record(folder)
    _see_that_it_may_run(known, folder, overrides, settings)
    if known.get("status") == "finished":
        log.info("finished earlier: %s", folder)
        return (known.get("best") or {}).get("value")
    _see_that_the_sweep_goes_on(sweep, launcher)
    RunFolder(folder).summary.unlink(missing_ok=True)

    # Imported here, in the parent of all runs, so that they are imported once.
    from gan_framework.runs.launch import SweepJob, launch
    from gan_framework.runs.summary import Summary
    from gan_framework.runs.trainer import PRUNER
    from gan_framework.runs.workers import in_tasks

    def work(stop: StopRequest) -> float | None:
        pruner = None
        if settings.trial is not None:
            from gan_framework.sweeps.study import pruner_of

            pruner = pruner_of(hydra.sweeper, sweep, settings.trial)
        try:
            return launch(config, folder, overrides, SweepJob(sweep_name(sweep), hydra.job.num, pruner), stop)
        except RunStopped:
            if stop.reason != PRUNER:
                raise
            return None  # the sweeper finds that it was pruned in the summary

    try:
        return in_tasks(lambda: isolated(work, sweep / STOP_FILE), launcher)
    except Killed as death:
        log.error("%s", death)
        Summary(folder, config.seed, overrides).write(None, "failed", death)
        raise
    except (ConfigError, RunFailed) as error:
        log.error("%s", error)
        raise


def _see_that_it_may_run(known: dict[str, Any], folder: Path, overrides: list[str], settings: DictConfig) -> None:
    """Raise ConfigError if the folder's run is another one, RunFailed if it failed and is not to be tried again."""
    if known and sorted(known["overrides"]) != sorted(mask(overrides)):
        raise ConfigError(f"{folder} holds another run, of {' '.join(known['overrides'])}; choose another sweep folder")
    if known.get("status") == "failed" and not settings.retry_failed:
        raise RunFailed(f"{known['error']} (earlier; sweep.retry_failed=true tries again)")


def _see_that_the_sweep_goes_on(sweep: Path, launcher: str) -> None:
    """Raise RunStopped if the sweep is being stopped, or has been killed."""
    if (sweep / STOP_FILE).exists():
        raise RunStopped("not started: the sweep is being stopped")
    if launcher == "joblib":  # jobs of a cluster are to outlive the command
        _end_with_parent()
        if abandoned(sweep):  # a worker would go on with what it has been given
            raise RunStopped("not started: the sweep has been killed")


@cache
def _end_with_parent() -> None:
    """Have this worker end when the sweep is gone: joblib's would wait for more work, for minutes."""
    when_orphaned(lambda: os._exit(1))


def _record(folder: Path) -> dict[str, Any]:
    """Return what an earlier run in the folder left in its summary; nothing if it never came to an end."""
    path = RunFolder(folder).summary
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text())
        return content if isinstance(content["overrides"], list) else {}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is damaged ({error}); delete it to have the run go on") from error
