"""One run from its configuration to its summary."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf, open_dict

from gan_framework.build import assemble
from gan_framework.config import schema
from gan_framework.config.compose import plain
from gan_framework.config.paths import anchored
from gan_framework.config.unchosen import say_what_comes_with_the_loss, without_unchosen
from gan_framework.core import distributed
from gan_framework.data import Sources
from gan_framework.data.completing import as_settings
from gan_framework.errors import ConfigError, RunFailed, RunStopped, in_words
from gan_framework.evaluation.stopping import stoppable
from gan_framework.runs import announcement, checkpoint, choosing, group, out_of_memory, resuming
from gan_framework.runs.decoder import opened
from gan_framework.runs.device import check_processes, set_up_device
from gan_framework.runs.naming import display_name
from gan_framework.runs.progress import Progress
from gan_framework.runs.restore import Unfit, alone
from gan_framework.runs.run import OnLog, Pruner, Run
from gan_framework.runs.signals import Interrupted, StopRequest
from gan_framework.runs.summary import Summary, describe
from gan_framework.runs.tracker import RunInfo
from gan_framework.runs.tracking import build_trackers
from gan_framework.runs.trained import warm_start
from gan_framework.runs.trainer import train
from gan_framework.runs.workers import lead
from gan_framework.storage import files, no_run
from gan_framework.storage.foreign import Damaged
from gan_framework.storage.layout import RunFolder
from gan_framework.storage.lock import Hold, owned
from gan_framework.storage.plain import literal, require_readable
from gan_framework.storage.secrets import mask

log = logging.getLogger(__name__)

PICTURE = re.compile(r"\w+_(\d{7,15})\.\w+", re.ASCII)
"""The names of a step's pictures and of what is written beside them."""

MOST_CLASSES = 20_000
"""Classes up to which a run's settings hold their names; of identities there may be more, which have numbers alone."""


@dataclass(frozen=True)
class SweepJob:
    """A run's place in a sweep.

    Attributes:
        sweep: the sweep's name; None for a run on its own.
        number: the job's number; runs at the same time are spread over the GPUs by it.
        pruner: whether the run should be stopped early, given a step and the score reached there.
    """

    sweep: str | None = None
    number: int = 0
    pruner: Pruner | None = None


def launch(
    config: DictConfig,
    folder: Path,
    overrides: list[str],
    job: SweepJob = SweepJob(),  # noqa: B008 (it cannot be changed)
    stop: StopRequest | None = None,
    on_log: OnLog | None = None,
) -> float | None:
    """Train, score and summarise one run, or resume it.

    Args:
        config: the composed configuration.
        folder: the run's folder.
        overrides: what the command line changed, for the summary.
        job: the run's place in a sweep.
        stop: notes requests to stop already; without it signals are noted here.
        on_log: given each line of metrics; it can ask for a stop.

    Returns:
        The best score, or None if nothing was scored.

    Raises:
        ConfigError: the request was wrong.
        RunFailed: the run failed while it ran.
        RunStopped: the run was stopped and can be resumed.
    """
    summary = Summary(folder, config.seed, overrides)
    with owned(folder) as hold, nullcontext(stop) if stop else StopRequest() as stop, group.leaving():
        run: Run | None = None
        try:
            with stoppable(stop.check):
                run = _prepare(config, folder, overrides, job)
                run.hold, run.on_log = hold, on_log
                stop.check()
            with run.progress:
                train(run, stop)
            hold.check()
            content = summary.write(run, "finished")
            announcement.conclude(run)  # trackers have it in their copy of the log
            run.trackers.finish(content, stop)
        except BaseException as error:
            known = _known(error, config, run, stop, hold)
            status = "stopped" if isinstance(known, RunStopped) else "failed"
            content = summary.write(run, status, known, in_folder=hold.intact)
            if run is not None:
                run.trackers.finish(content, stop)
            if known is error:
                raise
            raise known from error
        return run.best.found.get("value")


def _known(error: BaseException, config: DictConfig, run: Run | None, stop: StopRequest, hold: Hold) -> BaseException:
    """Return what an error means for a run, as one of our own errors if it is known."""
    if not hold.intact:
        return hold.loss()
    if isinstance(error, Interrupted):
        return RunStopped(
            f"stopped by {stop.reason} before training started; the same command in the same folder resumes"
        )
    if group.lost(error):
        return RunFailed("another process of the run died; see its message above")
    if exhausted := out_of_memory.cause(error):
        # What the experiment has chosen stands in the run's own alone.
        return RunFailed(
            out_of_memory.advice(exhausted, OmegaConf.create(literal(run.config)) if run is not None else config)
        )
    if isinstance(error, OSError):
        return RunFailed(in_words(error))
    if isinstance(error, ConfigError) and run is not None:
        return RunFailed(str(error))  # what was asked for was right when the run began
    return error


def _prepare(composed: DictConfig, folder: Path, overrides: list[str], job: SweepJob) -> Run:
    composed, overrides, sources = choosing.completed(composed, overrides, job.number)
    composed = anchored(without_unchosen(composed, overrides))
    say_what_comes_with_the_loss(composed, overrides)
    settings = schema.Config.of(plain(composed))
    device = set_up_device(settings.train, job.number)
    check_processes(settings.train, settings.evaluate, device)
    log.info("run folder %s; device %s, %d CPU threads", folder, device, torch.get_num_threads())
    sources = sources or Sources(settings.data, settings.sources)
    composed = _completed(composed, sources)
    config = plain(composed)
    trackers = build_trackers(config["tracker"])
    layout = RunFolder(folder)
    checkpoints = _resume_from(settings.train.resume, layout)
    newest = next(checkpoints, None)
    # A run that goes on has its weights: what it started from may be gone.
    start = warm_start(config) if newest is None else None
    decoder = opened(config["data"], sources.shape, device, alone)
    assembly = assemble(config, sources, device, scored=True, warm_start=start, decoder=decoder)
    for line in start.report(assembly.game.networks) if start is not None else []:
        log.info("%s", line)
    if newest is not None:  # before a tracker has a record of it
        resuming.refuse(newest[1], composed, assembly.batches.identities(), f"the checkpoint {newest[0]}")
    announced, config = config, mask(config)
    text = OmegaConf.to_yaml(OmegaConf.create(literal(config)), resolve=True)
    _refuse_unreadable(text, config)

    if newest is None:
        files.write_text(layout.config, text)
    # In a sweep the folder says what is swept.
    name = display_name(config) if job.sweep is None else folder.name
    trackers.start(RunInfo(folder=folder, config=config, sweep=job.sweep, resumed=newest is not None, name=name))
    try:
        run = Run(config, folder, assembly, trackers, Progress(settings.train.steps))
        run.pruner = job.pruner
        path = None
        if newest is not None:
            path = _restore(run, itertools.chain([newest], checkpoints), composed)
            files.write_text(layout.config, text)  # only now is it known to fit
            log.info("resumed from %s at step %d", path, run.counters.step)
        _drop_later_pictures(layout, run.counters.step if path else -1)
        if settings.train.resume != "auto":
            _leave_other_history(layout, run if path else None)
        announcement.announce(run, config)
        if distributed.world() > 1:
            lead(run.game, announced, folder, path, sweep=job.sweep is not None)
    except BaseException as error:
        status = "stopped" if isinstance(error, Interrupted) else "failed"
        trackers.finish({"status": status, "error": describe(error), "step": 0})
        raise
    return run


def _completed(composed: DictConfig, sources: Sources) -> DictConfig:
    """Return a configuration with what folders and arrays say of their samples only when they have been looked at."""
    composed = composed.copy()
    places = [(composed.data, sources.first)]
    places += [(composed.sources[name], source) for name, source in sources.others.items()]
    for settings, source in places:
        shape = source.shape
        found: dict[str, Any] = {
            "channels": shape.sample[0],
            "num_classes": shape.num_classes,
            "condition_dim": shape.condition_dim,
        }
        if shape.is_image:
            height, width = shape.sample[1:]
            found["image_size"] = height if height == width else [height, width]
        if shape.vocabulary:
            found |= {"vocabulary": shape.vocabulary, "length": shape.sample[0]}
        elif len(shape.sample) == 2:
            found["length"] = shape.sample[1]
        found |= {"sample_shape": [*shape.sample], **source.found}
        settings.update(as_settings({key: value for key, value in found.items() if key in settings}))
        with open_dict(settings):
            if source.classes and len(source.classes) <= MOST_CLASSES:
                settings.update(as_settings({"classes": source.classes}))
            if source.symbols:
                settings.update(as_settings({"symbols": source.symbols}))
    return composed


def _refuse_unreadable(text: str, config: Mapping[str, Any]) -> None:
    """Raise ConfigError for settings that could not be read again: of data may come any number of names."""
    try:
        require_readable(text)
    except Damaged as error:
        sections = {name: section for name, section in config.items() if isinstance(section, Mapping)}
        sizes = {f"{name}.{key}": len(str(value)) for name, own in sections.items() for key, value in own.items()}
        most = max(sizes, key=lambda name: sizes[name])
        raise ConfigError(f"no run of these settings could be read again: {error}; most of it is {most}") from error


Checkpoints = Iterator[tuple[Path, dict[str, Any]]]


def _resume_from(setting: str | None, folder: RunFolder) -> Checkpoints:
    """Yield the checkpoints that a run may go on from, the one to be preferred first; none if it is a new run.

    Raises:
        ConfigError: there are some, and not one of them is intact.
    """
    if setting is None:
        return
    path = folder.path if setting == "auto" else Path(setting)
    if path.is_file():
        yield path, checkpoint.load(path)
        return
    folder = RunFolder(path)
    intact = False
    for found in checkpoint.newest_first(folder.checkpoints):
        intact = True
        yield found
    if not intact and setting != "auto":
        if path.exists():
            raise ConfigError(f"train.resume={setting}: {no_run.said(path)}")
        raise ConfigError(f"train.resume={setting} is neither a checkpoint nor the folder of a run with an intact one")
    if not intact and checkpoint.numbered(folder.checkpoints):
        raise ConfigError(
            f"no checkpoint in {folder.checkpoints} is intact (see above): train.resume=null starts "
            "from scratch and deletes them, train.resume=FILE resumes from another checkpoint"
        )


def _restore(run: Run, checkpoints: Checkpoints, composed: DictConfig) -> Path:
    """Have a run go on from the first checkpoint that fits it, and return which that is.

    Raises:
        ConfigError: it would be another experiment, or not one of them fits.
    """
    first: Unfit | None = None
    for path, state in checkpoints:
        resuming.check(state, composed, run.data_identity, f"the checkpoint {path}")
        try:
            run.restore(state, path)
            return path
        except Unfit as error:
            first = first or error
            log.warning("%s; trying the one before it", error)
    assert first is not None
    raise first


def _leave_other_history(folder: RunFolder, resumed: Run | None) -> None:
    """Delete what an earlier run has left of steps after the one gone on from; everything if it is a new run."""
    checkpoint.drop_after(folder.checkpoints, -1 if resumed is None else resumed.counters.step)
    if resumed is None:
        folder.last.unlink(missing_ok=True)
    if resumed is None or not resumed.best.found:
        folder.best.unlink(missing_ok=True)


def _drop_later_pictures(folder: RunFolder, step: int) -> None:
    """Delete pictures of steps after the one gone on from, which would be taken for the run's."""
    if folder.samples.is_symlink():  # what it leads to is somebody else's
        return
    for path in folder.samples.glob("*_*"):
        found = PICTURE.fullmatch(path.name)
        if found and int(found[1]) > step and not path.is_dir():
            path.unlink(missing_ok=True)
