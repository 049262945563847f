"""Goes on with a run from its own configuration."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from gan_framework.cli.train import in_processes, run_hydra
from gan_framework.config import saved
from gan_framework.errors import ConfigError
from gan_framework.storage import foreign, no_run, plain, secrets
from gan_framework.storage.layout import RunFolder
from gan_framework.storage.text import visible
from gan_framework.sweeps import again
from gan_framework.sweeps.naming import sweep_name

log = logging.getLogger(__name__)

ITS_PLACE = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")
"""Settings that say where a run lies."""


def resume(run: Path, overrides: list[str]) -> int:
    """Go on with a run in its folder and return the exit code."""
    return in_processes(lambda: _resume(run, overrides))


def _resume(run: Path, overrides: list[str]) -> None:
    secrets.refuse(overrides)
    folder = _folder(run)
    for override in overrides:
        if override.startswith("-") or override.lstrip("+").partition("=")[0] in ITS_PLACE:
            raise ConfigError(
                f"{override}: resume continues the run in its own folder, {folder}; it takes only the run's settings"
            )
    saved.refuse_several_parts(overrides, str(run))
    summary = _summary(folder)
    in_sweep = (folder.parent / no_run.OF_A_SWEEP[0]).is_file()
    if in_sweep and not summary:
        raise ConfigError(
            f"{run} belongs to a sweep and has no summary.json that says which of its runs it is: resume the whole "
            f"sweep, by its command with -m and sweep.resume={run.parent}"
        )
    config, passed_over = _configuration(folder)
    own = {"resume": _from(folder, config), "resume_changed": False}
    earlier = [text for text in summary.get("overrides") or [] if isinstance(text, str)]

    def start(composed: DictConfig, place: Path, changed: list[str]) -> float | None:
        from gan_framework.runs.launch import SweepJob, launch

        if passed_over:
            log.warning("%s", passed_over)
        saved.warn_of_masked(config)
        if summary.get("status") == "finished" and summary.get("step") == composed.train.steps:
            log.info("the run has finished: train.steps=N with N > %d continues it", composed.train.steps)
        job = SweepJob(sweep_name(folder.parent) if in_sweep else None)
        return launch(composed, place, _together(earlier, changed), job)

    run_hydra(overrides, saved.offer(config, own, folder), start)


def _folder(run: Path) -> Path:
    if run.is_dir():
        if not RunFolder(run).config.is_file() and any((run / name).is_file() for name in no_run.OF_A_SWEEP):
            raise ConfigError(f"{run} is a sweep: it goes on by its own command, {again.command(run)}")
        return run.resolve()
    if run.exists():
        owner = no_run.owner(run)
        raise ConfigError(
            f"{run} is a file: name the run's folder{f', {visible(str(owner))}' if owner else ''}; train.resume=FILE "
            "resumes from another checkpoint"
        )
    raise ConfigError(f"there is no run {run}")


def _configuration(folder: Path) -> tuple[dict[str, Any], str | None]:
    """Return a run's configuration, and why it is not the one in config.yaml if that cannot be used.

    Raises:
        ConfigError: the folder holds neither a configuration nor an intact checkpoint.
    """
    place = RunFolder(folder)
    try:
        return saved.read(place.config), None
    except ConfigError as error:
        unusable = error
    if not place.checkpoints.is_dir():
        raise unusable if place.config.exists() else ConfigError(no_run.said(folder))
    from gan_framework.runs import checkpoint

    for path, state in checkpoint.newest_first(place.checkpoints):
        saved.check(state["config"], str(path))
        return state["config"], f"{unusable}; its configuration is taken from {path}"
    raise ConfigError(f"{unusable}; and no checkpoint in {place.checkpoints} is intact")


def _summary(folder: Path) -> dict[str, Any]:
    place = RunFolder(folder)
    try:
        return plain.read_json(place.summary, folder)
    except (FileNotFoundError, foreign.Damaged):
        return {}


def _from(folder: Path, config: dict[str, Any]) -> Any:
    """Return the setting `train.resume` for a run: its own checkpoints, else the one that it was to begin from."""
    place = RunFolder(folder)
    if place.last.exists() or any(place.checkpoints.glob("step_*.pt")):
        return "auto"
    return plain.literal(config["train"].get("resume") or "auto")


def _together(earlier: list[str], changed: list[str]) -> list[str]:
    """Return the overrides of a run and those that it goes on with; the later one of a setting holds."""
    keys = {override.lstrip("+~").partition("=")[0] for override in changed}
    return [override for override in earlier if override.lstrip("+~").partition("=")[0] not in keys] + changed
