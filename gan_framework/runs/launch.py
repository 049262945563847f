"""One run from its configuration to its summary."""

from __future__ import annotations

import logging
import platform
import subprocess
from contextlib import nullcontext
from dataclasses import dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from gan_framework.build import Config, build_game
from gan_framework.config import schema
from gan_framework.core import distributed
from gan_framework.data import COMMON_SETTINGS, Batches, DataSource, build_source
from gan_framework.errors import ConfigError, GanFrameworkError, RunFailed, RunStopped
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.runs import checkpoint, group, out_of_memory
from gan_framework.runs.compilation import compile_networks
from gan_framework.runs.progress import Progress
from gan_framework.runs.run import Judge, Run
from gan_framework.runs.signals import Interrupted, StopRequest
from gan_framework.runs.tracker import RunInfo
from gan_framework.runs.tracking import Trackers, build_trackers
from gan_framework.runs.trainer import train
from gan_framework.runs.workers import lead
from gan_framework.storage import files
from gan_framework.storage.lock import owned
from gan_framework.storage.secrets import mask

log = logging.getLogger(__name__)

MOST_THREADS = 1024

SUMMARY_FILE = "summary.json"
VERSIONS = ("gan-framework", "torch", "torchvision", "torchmetrics", "torch-fidelity", "hydra-core", "numpy")


@dataclass(frozen=True)
class Place:
    """A run's place in a sweep.

    Attributes:
        sweep: the sweep's name; None for a run on its own.
        number: the job's number; runs at the same time are spread over the GPUs by it.
        judge: whether the run should be stopped early, given a step and the score reached there.
    """

    sweep: str | None = None
    number: int = 0
    judge: Judge | None = None


def launch(
    config: DictConfig,
    folder: Path,
    overrides: list[str],
    place: Place = Place(),  # noqa: B008 (it cannot be changed)
    stop: StopRequest | None = None,
) -> float | None:
    """Train, score and summarise one run, or resume it.

    Args:
        config: the composed configuration.
        folder: the run's folder.
        overrides: what the command line changed, for the summary.
        place: the run's place in a sweep.
        stop: notes requests to stop already; without it signals are noted here.

    Returns:
        The best score, or None if nothing was scored.

    Raises:
        ConfigError: the request was wrong.
        RunFailed: the run failed while it ran.
        RunStopped: the run was stopped and can be resumed.
    """
    summary = Summary(folder, config.seed, overrides)
    with owned(folder), nullcontext(stop) if stop else StopRequest() as stop, group.leaving():
        run: Run | None = None
        try:
            with stop.within(0):
                run = _prepare(config, folder, place)
            with run.progress:
                train(run, stop)
            summary.write(run, "finished", stop=stop)
        except BaseException as error:
            known = _known(error, config, run, stop)
            summary.write(run, "stopped" if isinstance(known, RunStopped) else "failed", known, stop)
            if known is error:
                raise
            raise known from error
        return run.best.get("value")


def _known(error: BaseException, config: DictConfig, run: Run | None, stop: StopRequest) -> BaseException:
    """Return what an error means for a run, as one of our own errors if it is known."""
    if isinstance(error, Interrupted):
        where = "before it began" if run is None else f"in the middle of step {run.clock.step + 1}"
        return RunStopped(f"stopped by {stop.reason} {where}; the same command in the same folder resumes")
    if group.lost(error):
        return RunFailed("another process of the run is gone; what it said of it stands above")
    if out_of_memory.exhausted(error):
        return RunFailed(out_of_memory.advice(error, config))
    if isinstance(error, OSError):
        return RunFailed(f"a file could not be read or written: {error}")
    if isinstance(error, ConfigError) and run is not None:
        return RunFailed(str(error))  # what was asked for was right when the run began
    return error


def _prepare(composed: DictConfig, folder: Path, place: Place) -> Run:
    _check_sections(plain(composed))
    settings = composed.train
    device = take_place(settings, place.number)
    _check_together(settings, composed.evaluate, device)
    log.info("in %s, on %s with %d CPU threads", folder, device, torch.get_num_threads())
    source = build_source(plain(composed.data))
    # Folders and arrays say what they hold only when they have been looked at.
    shape = source.shape
    found = {"channels": shape.sample[0], "num_classes": shape.num_classes, "condition_dim": shape.condition_dim}
    composed = composed.copy()
    composed.data.update({key: value for key, value in found.items() if key in composed.data})
    config = plain(composed)
    _check_scalars(config)
    trackers = build_trackers(config["tracker"])
    game = build_game(config, source.shape, device)
    if settings.compile:
        compile_networks(game)
    scored = config["metrics"] and config["evaluate"]["samples"]
    evaluator = Evaluator.from_config(config, source, device) if scored else None
    if evaluator is not None:
        evaluator.check(game)
    batches = build_batches(config, source, device)
    announced, config = config, mask(config)
    text = OmegaConf.to_yaml(OmegaConf.create(config))

    resumed = _resume_from(settings.resume, folder)
    if resumed is None:
        files.write_text(folder / "config.yaml", text)
    trackers.start(RunInfo(folder=folder, config=config, sweep=place.sweep, resumed=resumed is not None))
    try:
        run = Run(config, folder, game, batches, evaluator, trackers, Progress(settings.steps))
        run.judge = place.judge
        if resumed is not None:
            path, state = resumed
            run.restore(state, path)
            files.write_text(folder / "config.yaml", text)  # only now is it known to fit
            log.info("resumed from %s at step %d", path, run.clock.step)
        if settings.resume != "auto":
            _leave_other_history(folder / "checkpoints", run.clock.step if resumed else None)
        if distributed.world() > 1:
            lead(game, announced, folder, resumed[0] if resumed else None, sweep=place.sweep is not None)
    except BaseException as error:
        status = "stopped" if isinstance(error, Interrupted) else "failed"
        trackers.finish({"status": status, "error": describe(error), "step": 0})
        raise
    return run


def _check_sections(config: Config) -> None:
    for name in (section.name for section in fields(schema.Config) if section.name not in ("seed", "sweep")):
        if name not in config:
            raise ConfigError(f"{name} is missing: a configuration cannot do without it")
        if config[name] is not None and not isinstance(config[name], dict | list):
            raise ConfigError(f"{name}={config[name]}: it must be a group of settings, as in conf/")


def build_batches(config: Config, source: DataSource, device: torch.device) -> Batches:
    """Return what draws this process's share of a run's batches."""
    common = {key: config["data"][key] for key in COMMON_SETTINGS if key in config["data"]}
    return Batches(
        source.load("train"),
        config["train"]["batch_size"],
        config["seed"],
        device,
        rank=distributed.rank(),
        world=distributed.world(),
        **common,
    )


def plain(config: DictConfig) -> dict[str, Any]:
    """Return a configuration resolved, as plain mappings, lists and values.

    Raises:
        ConfigError: a setting has no value or refers to one that does not exist.
    """
    try:
        resolved = OmegaConf.to_container(config, resolve=True, throw_on_missing=True, enum_to_str=True)
    except Exception as error:
        raise ConfigError(" ".join(str(error).split())) from error
    assert isinstance(resolved, dict)
    return {str(key): value for key, value in resolved.items()}


def take_place(settings: Any, number: int = 0) -> torch.device:
    """Return the device of this process, and have it use as many threads as it is to.

    Args:
        settings: those under `train`.
        number: the job's number in a sweep.

    Raises:
        ConfigError: there is no such device, or no such number of threads.
    """
    threads = settings["threads"]
    if threads is not None:
        if not 1 <= threads <= MOST_THREADS:
            raise ConfigError(
                f"train.threads={threads}: it must be from 1 to {MOST_THREADS}, or null for torch's choice"
            )
        torch.set_num_threads(threads)
    return group.own_device(settings["device"], choose_device(settings["device"], number))


def choose_device(name: str, number: int = 0) -> torch.device:
    """Return the device of `train.device`; `auto` takes a GPU where there is one.

    Args:
        name: the setting.
        number: the job's number in a sweep; `auto` goes round the GPUs with it.

    Raises:
        ConfigError: there is no such device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            several = torch.cuda.device_count() > 1
            return torch.device("cuda", number % torch.cuda.device_count()) if several else torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"train.device={name}: {str(error).splitlines()[0]}; use auto, cpu, cuda, cuda:1 or mps"
        ) from error
    return device


def _check_together(train: DictConfig, evaluate: DictConfig, device: torch.device) -> None:
    """Raise ConfigError if several processes cannot do what the settings ask for."""
    if distributed.world() == 1 or not train.sync_batch_norm:
        return
    if device.type != "cuda":
        raise ConfigError(
            f"train.sync_batch_norm=true works between GPUs only, and this run is on {device.type}: set it to false"
        )
    if evaluate.batch_norm == "standing":
        raise ConfigError("evaluate.batch_norm=standing is measured in one process: set train.sync_batch_norm=false")


def _check_scalars(config: Config) -> None:
    positive = {"train": ("steps", "batch_size"), "evaluate": ("batch_size",), "sample": ("count", "columns")}
    not_negative = {
        "train": ("log_every", "sample_every", "checkpoint_every"),
        "evaluate": ("every", "samples"),
    }
    for names, least in ((positive, 1), (not_negative, 0)):
        for section, keys in names.items():
            for key in keys:
                if config[section][key] < least:
                    raise ConfigError(f"{section}.{key}={config[section][key]}: it must be at least {least}")


def _resume_from(setting: str | None, folder: Path) -> tuple[Path, dict[str, Any]] | None:
    if setting is None:
        return None
    if setting == "auto":
        return checkpoint.newest(folder / "checkpoints")
    return Path(setting), checkpoint.load(Path(setting))


def _leave_other_history(checkpoints: Path, step: int | None) -> None:
    """Delete what an earlier run has left of steps after the one gone on from; everything if it is a new run."""
    checkpoint.drop_after(checkpoints, -1 if step is None else step)
    if step is None:
        for name in ("last.pt", "best.pt"):
            (checkpoints / name).unlink(missing_ok=True)


class Summary:
    """Writes summary.json, also when a run fails or is stopped; secrets are masked."""

    def __init__(self, folder: Path, seed: int, overrides: list[str]) -> None:
        self.folder = folder
        self.known = {"seed": seed, "overrides": overrides}

    def write(
        self, run: Run | None, status: str, error: BaseException | None = None, stop: StopRequest | None = None
    ) -> None:
        """Write what is known of a run, and end its trackers with it.

        Args:
            run: the run; None for one that never came to be.
            status: `finished`, `failed` or `stopped`.
            error: why it did not finish.
            stop: once a stop is requested, the trackers are not waited for.
        """
        content: dict[str, Any] = {"status": status, "error": describe(error) if error else None}
        if run is not None:
            content |= {
                "step": run.clock.step,
                "images_seen": run.images_seen,
                "updates": run.updates,
                "seconds": round(run.clock.seconds, 3),
                "images_per_second": round(run.images_per_second, 1),
                "metrics": run.metrics,
                "warnings": run.watch.named,
                "best": run.best or None,
                "protocol": run.protocol or None,
                "higher_is_better": run.evaluator.higher_is_better if run.evaluator is not None else {},
            }
        content |= self.known | {"versions": _versions(), "git": _git()}
        content = mask(content)
        path = self.folder / SUMMARY_FILE
        if run is None and isinstance(error, ConfigError) and path.exists():
            return  # of an earlier run, about which this wrong request says nothing
        try:
            files.write_json(path, content)
        except OSError as unwritten:
            if error is None:
                raise
            log.error("%s", unwritten)  # of what went wrong, the first is the one to report
        if run is not None:
            _end(run.trackers, content, stop or StopRequest())


def _end(trackers: Trackers, summary: dict[str, Any], stop: StopRequest) -> None:
    try:
        with stop.within(0):
            trackers.finish(summary)
    except Interrupted:
        trackers.finish({**summary, "status": "stopped"})


def describe(error: BaseException) -> str:
    """Return one line that says what happened: our own errors speak for themselves, others need their type."""
    text = " ".join(str(error).split())
    return text if isinstance(error, GanFrameworkError) else f"{type(error).__name__}: {text}"


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in VERSIONS}


def _git() -> dict[str, Any] | None:
    """Return the commit of the folder the run was started in, or None outside a checkout."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            # Without a lock of the user's repository, which would be left behind if git died on a full disk.
            ["git", "--no-optional-locks", *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None
