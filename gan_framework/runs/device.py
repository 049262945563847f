"""Where a run computes."""

from __future__ import annotations

import torch

from gan_framework.config.schema import EvaluateConfig, TrainConfig
from gan_framework.core import distributed
from gan_framework.errors import ConfigError
from gan_framework.runs import group


def set_up_device(settings: TrainConfig, number: int = 0) -> torch.device:
    """Return the device of this process, and have it use as many threads as it is to.

    Args:
        settings: those under `train`.
        number: the job's number in a sweep.

    Raises:
        ConfigError: there is no such device.
    """
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    return group.own_device(settings.device, choose_device(settings.device, number))


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
        reason = str(error).splitlines()[0]
        why = "unknown device" if reason.startswith("Expected one of") else reason  # torch would list all its backends
        raise ConfigError(f"train.device={name}: {why}; use auto, cpu, cuda, cuda:1 or mps") from error
    return device


def check_processes(train: TrainConfig, evaluate: EvaluateConfig, device: torch.device) -> None:
    """Raise ConfigError if several processes cannot do what the settings ask for."""
    _check_parts(train, distributed.world())
    if distributed.world() == 1 or not train.sync_batch_norm:
        return
    if device.type != "cuda":
        raise ConfigError(
            f"train.sync_batch_norm=true works between GPUs only, and this run is on {device.type}: set it to false"
        )
    if evaluate.batch_norm == "standing":
        raise ConfigError("evaluate.batch_norm=standing is measured in one process: set train.sync_batch_norm=false")


def _check_parts(train: TrainConfig, world: int) -> None:
    """Raise ConfigError if a process's share of a batch has no parts of one size, which would count unequally."""
    share, parts = train.batch_size // world, train.accumulate
    if world > 1 and share % parts:
        unit = world * parts
        raise ConfigError(
            f"train.accumulate={parts} does not divide the {share} samples of train.batch_size={train.batch_size} that "
            f"each of {world} processes has; use train.batch_size={max(train.batch_size // unit, 1) * unit}"
        )
