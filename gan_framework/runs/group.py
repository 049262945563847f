"""How the processes of a run become one group, and leave it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed import Store  # type: ignore[attr-defined]

from gan_framework.core import distributed
from gan_framework.core.distributed import Group, rank, world
from gan_framework.errors import ConfigError, NonFinite

MEETING = timedelta(minutes=10)
"""How long processes wait for one another where none has anything to do in between."""

WAITING = timedelta(days=2)
"""How long they wait while the first one scores, saves or downloads."""


def own_device(name: str, device: torch.device) -> torch.device:
    """Return the device that this process computes on: one of several takes a GPU of its own.

    Args:
        name: the setting `train.device`.
        device: what it stands for in a run of one process.

    Raises:
        ConfigError: the setting names one GPU for all processes.
    """
    if world() == 1 or device.type != "cuda":
        return device
    if ":" in name:
        raise ConfigError(f"train.device={name}: each of {world()} processes takes a GPU of its own; use cuda")
    own = torch.device("cuda", int(os.environ.get("LOCAL_RANK") or 0) % torch.cuda.device_count())
    torch.cuda.set_device(own)
    return own


def join(store: Store, device: torch.device) -> None:
    """Become one group with the other processes, which do the same.

    Args:
        store: what the processes meet in.
        device: where this process computes.
    """
    dist.init_process_group("gloo", store=store, rank=rank(), world_size=world(), timeout=MEETING)
    words = cast(dist.ProcessGroup, dist.new_group(backend="gloo", timeout=WAITING))
    tensors = cast(dist.ProcessGroup, dist.new_group(backend="nccl")) if device.type == "cuda" else words
    distributed.enter(Group(rank(), world(), words, tensors, torch.Generator(device)))


@contextmanager
def leaving() -> Iterator[None]:
    """Leave the group, if there is one, at the end of the context; where all processes come to it, with the last."""
    try:
        yield
    except BaseException as error:
        group = distributed.current()
        _leave(orderly=isinstance(error, NonFinite) or (group is not None and group.stopping))
        raise
    _leave(orderly=True)


def _leave(orderly: bool) -> None:
    group = distributed.current()
    if group is None:
        return
    if orderly:  # without it, exit aborts now and then
        dist.barrier(group.words)
    distributed.enter(None)
    dist.destroy_process_group()


def lost(error: BaseException) -> bool:
    """Return whether an error says that another process of the group is gone."""
    return isinstance(error, dist.DistError) or (distributed.current() is not None and "gloo" in str(error))


def measured_by_all(history: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """Return what steps measured, over all processes: the means of scalars, and the last step's vectors joined."""
    if distributed.current() is None or not history:
        return history
    scalars = [value.float() for measured in history for value in measured.values() if value.ndim == 0]
    means = iter(distributed.mean(torch.stack(scalars)) if scalars else ())
    averaged = [{name: next(means) for name, value in step.items() if value.ndim == 0} for step in history]
    return [*averaged[:-1], averaged[-1] | {n: _joined(v) for n, v in history[-1].items() if v.ndim > 0}]


def stopping(requested: bool) -> bool:
    """Return whether a stop was requested of any of the processes, which then all stop at the same step."""
    group = distributed.current()
    if group is None:
        return requested
    votes = torch.tensor(int(requested))
    dist.all_reduce(votes, dist.ReduceOp.MAX, group=group.words)
    group.stopping = bool(votes)
    return group.stopping


def synchronise_batch_norms(networks: nn.ModuleDict) -> None:
    """Let batch norm layers use the statistics of the whole batch, not of this process's share."""
    group = distributed.current()
    if group is not None:
        for name, network in networks.items():
            networks[name] = nn.SyncBatchNorm.convert_sync_batchnorm(network, group.tensors)


def _joined(vector: Tensor) -> Tensor:
    group = distributed.current()
    assert group is not None
    parts = [torch.empty_like(vector) for _ in range(group.world)]
    dist.all_gather(parts, vector.contiguous(), group=group.tensors)
    return torch.cat(parts)
