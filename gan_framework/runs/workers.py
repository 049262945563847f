"""How several processes go through runs together: the first leads, the others follow it into each.

The first alone reads the command line, composes, sweeps and writes files. When it has a run ready, data downloaded, it
announces it; each of the others builds the same game, plays its part in it, and waits for the next.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch.distributed as dist
from torch.distributed import PrefixStore, Store, TCPStore  # type: ignore[attr-defined]

from gan_framework.build import Config, assemble
from gan_framework.config.schema import TrainConfig, read
from gan_framework.core import distributed
from gan_framework.core.game import Game
from gan_framework.data import Sources
from gan_framework.errors import ConfigError, GanFrameworkError, NonFinite, RunFailed, RunStopped
from gan_framework.runs import checkpoint, group
from gan_framework.runs.decoder import opened
from gan_framework.runs.device import set_up_device
from gan_framework.runs.orphans import when_orphaned
from gan_framework.runs.process import isolated
from gan_framework.runs.progress import Progress
from gan_framework.runs.restore import alone
from gan_framework.runs.run import Run
from gan_framework.runs.signals import Interrupted, StopRequest
from gan_framework.runs.summary import describe
from gan_framework.runs.tracking import Trackers
from gan_framework.runs.trainer import train

Result = TypeVar("Result")

log = logging.getLogger(__name__)

GRACE = 30.0
"""Seconds that a process without its agent has to stop by itself before it is in a group."""

FAREWELL = timedelta(seconds=10)
"""How long the first process waits for the others to hear that there are no more runs."""


def together(work: Callable[[], None]) -> None:
    """Do the work of a command in the first of several processes and follow it in the others.

    Where torchrun's agent has started them and is gone, they stop as by a signal: nobody would restart them.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        when_orphaned(stop_without_agent)
    if distributed.rank() > 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's own handler would wait for the first process too
        follow(itertools.count(1))
        return
    with leading():
        work()


def stop_without_agent() -> None:
    """Stop this process as by a signal; in any case where it still waits for processes that it will never meet."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    if distributed.current() is None:  # what it waits in lets no handler of a signal run for minutes
        os._exit(RunStopped.exit_code)


def in_tasks(work: Callable[[], Result], launcher: str) -> Result | None:
    """Do a sweep's job; where a cluster's launcher has started it as several tasks, in the first, and follow in others.

    Args:
        work: the job.
        launcher: what has started it.

    Raises:
        ConfigError: each of several processes would start processes of its own.
    """
    if launcher != "basic" and distributed.world() > 1:
        raise ConfigError(
            f"hydra/launcher={launcher}: {distributed.world()} processes go through the runs of a sweep together, one "
            "run after another; use hydra/launcher=basic, or hydra.launcher.tasks_per_node with submitit_slurm"
        )
    if "SUBMITIT_EXECUTOR" in os.environ:
        from submitit.helpers import TorchDistributedEnvironment

        TorchDistributedEnvironment().export(set_cuda_visible_devices=False, overwrite=True)
        if distributed.rank() > 0:
            follow([1])
            return None
        if distributed.world() > 1:
            with leading():
                return work()
    return work()


@contextmanager
def leading() -> Iterator[None]:
    """Be the first process; at the end of the context the others are told that there are no more runs."""
    hosts = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"  # else torchrun does
    store = _store(hosts)
    try:
        yield
    finally:
        _announce(store, None)
        if hosts:
            with suppress(dist.DistError):
                store.wait([f"left{rank}" for rank in range(1, distributed.world())], FAREWELL)


def lead(game: Game, config: Config, folder: Path, resumed: Path | None, sweep: bool) -> None:
    """Have the other processes take part in a run; from here on all do the same at the same time.

    Args:
        game: the game to be played.
        config: the run's configuration.
        folder: its folder.
        resumed: the checkpoint that it goes on from.
        sweep: whether it is one of many, which the end of a process must not reach.
    """
    job = {"config": {**config, "tracker": {}}, "folder": str(folder), "resumed": resumed and str(resumed)}
    join(_announce(_store(), {**job, "sweep": sweep}), game, config)
    log.info("distributed training with %d processes", distributed.world())


def follow(numbers: Iterable[int]) -> None:
    """Take part in the first process's runs of these numbers, or until there are no more.

    Raises:
        RunFailed: this process failed in a run that is not one of many.
    """
    logging.disable(logging.WARNING)  # what is no error is said once, by the first process
    store = _store()
    try:
        for number in numbers:
            store.wait([f"run{number}"], group.WAITING)
            job = json.loads(store.get(f"run{number}"))
            if job is None:
                break
            _follow(number, job)
    finally:
        with suppress(dist.DistError):
            store.set(f"left{distributed.rank()}", "")


def _follow(number: int, job: dict[str, Any]) -> None:
    if not job["sweep"]:
        with StopRequest() as stop:
            _take_part(number, job, stop)
        return
    try:
        isolated(lambda stop: _take_part(number, job, stop), Path(job["folder"]) / ".stop")
    except GanFrameworkError as error:
        log.error("%s", error)


def _take_part(number: int, job: dict[str, Any], stop: StopRequest) -> None:
    config, resumed = job["config"], job["resumed"]
    try:
        with group.leaving():
            device = set_up_device(read(TrainConfig, "train", config["train"]))
            sources = Sources(config["data"], config["sources"])
            decoder = opened(config["data"], sources.shape, device, alone)
            assembly = assemble(config, sources, device, scored=False, decoder=decoder)
            steps = assembly.settings.train.steps
            run = Run(config, Path(job["folder"]), assembly, Trackers({}), Progress(steps), leads=False)
            join(number, run.game, config)
            if resumed is not None:
                run.restore(checkpoint.load(Path(resumed)), Path(resumed))
            try:
                train(run, stop)
            except Exception as error:
                if group.lost(error):
                    raise RunFailed("stopped, because another process of the run died") from error
                raise
    except (NonFinite, RunStopped, Interrupted):
        return  # the first process says it
    except Exception as error:
        raise RunFailed(f"process {distributed.rank()}: {describe(error)}") from error


def join(number: int, game: Game, config: Config) -> None:
    """Become one group with the other processes of a run, and start from the same state as the first.

    Args:
        number: the run's number.
        game: the game, built and on its device.
        config: the run's configuration.
    """
    group.join(PrefixStore(f"run{number}", _store()), game.device)
    if config["train"]["sync_batch_norm"]:
        group.synchronise_batch_norms(game.networks)
    distributed.copy_from_first([*game.parameters(), *game.buffers()])


def _store(hosts: bool = False) -> Store:
    """Return a connection to what the processes tell each other of through before they are one group."""
    try:
        address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    except KeyError as missing:
        raise ConfigError(
            f"WORLD_SIZE={distributed.world()} says that this is one of several processes, but {missing} is not set: "
            "start them with torchrun, or unset WORLD_SIZE"
        ) from None
    except ValueError:
        raise ConfigError(
            f"the environment has MASTER_PORT={os.environ['MASTER_PORT']}, which must be the number of a port"
        ) from None
    store = TCPStore(address, port, is_master=hosts, wait_for_workers=False, timeout=group.MEETING)
    # torchrun's own store outlives a restart of the processes.
    return PrefixStore(f"start{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)


def _announce(store: Store, job: dict[str, Any] | None) -> int:
    number: int = store.add("runs", 1)
    store.set(f"run{number}", json.dumps(job))
    return number
