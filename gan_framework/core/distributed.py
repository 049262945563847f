"""Several processes that train one model: each takes its share of every batch, and they average their gradients.

torchrun, or a cluster's launcher, starts the processes and says in the environment which is which (`RANK`,
`WORLD_SIZE`, `LOCAL_RANK`, `MASTER_ADDR`, `MASTER_PORT`). They are one group while they train. Outside of a
group, as in a run of one process, every exchange gives back what it is given.

Gradients are averaged by hand after the backward pass, in one exchange for each update: wrappers such as
DistributedDataParallel fail on the double backward of penalties and on several passes to one backward.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from gan_framework.core import seeding
from gan_framework.core.records import Latent


@dataclass
class Group:
    """The processes that train together.

    Attributes:
        rank: this process's number.
        world: the number of processes.
        words: for what is exchanged between CPUs; it waits for a process that is busy.
        tensors: for what is exchanged between the run's devices.
        random: random numbers that are the same in all processes.
        stopping: whether they have agreed to stop.
    """

    rank: int
    world: int
    words: dist.ProcessGroup
    tensors: dist.ProcessGroup
    random: torch.Generator
    stopping: bool = False


_group: Group | None = None


def rank() -> int:
    """Return this process's number; 0 leads: it alone reads the command line and writes files."""
    return int(os.environ.get("RANK") or 0)


def world() -> int:
    """Return the number of processes."""
    return int(os.environ.get("WORLD_SIZE") or 1)


def current() -> Group | None:
    """Return the group that this process is in."""
    return _group


def enter(group: Group | None) -> None:
    """Be in a group from here on, or in none."""
    global _group
    _group = group


def reseed(seed: int, *parts: int | str) -> None:
    """Seed torch, in each process differently, and what `share_of_latents` draws, in all alike."""
    if _group is None:
        seeding.reseed(seed, *parts)
        return
    seeding.reseed(seed, *parts, *([_group.rank] if _group.rank else []))
    _group.random.manual_seed(seeding.derive(seed, *parts))


def share_of_latents(draw: Callable[..., Latent], n: int) -> Latent:
    """Return this process's n of the latents that one process would draw for the whole batch."""
    if _group is None:
        return draw(n)
    start = _group.rank * n
    return draw(_group.world * n, generator=_group.random).part(slice(start, start + n))


def average_gradients(parameters: Sequence[nn.Parameter], loss: Tensor) -> Tensor:
    """Average the gradients of parameters, in place, and a loss, which is returned."""
    if _group is None:
        return loss
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    loss = loss.clone()
    _flat([*gradients, loss], _mean)
    return loss


def mean(value: Tensor) -> Tensor:
    """Return the mean of a tensor over the processes."""
    if _group is None:
        return value
    value = value.clone()
    _mean(value)
    return value


def copy_from_first(tensors: Sequence[Tensor]) -> None:
    """Give tensors the values that they have in the first process."""
    if _group is None:
        return
    group = _group.tensors
    for dtype in dict.fromkeys(tensor.dtype for tensor in tensors):
        _flat([tensor.detach() for tensor in tensors if tensor.dtype == dtype], lambda t: dist.broadcast(t, 0, group))


def _mean(tensor: Tensor) -> None:
    assert _group is not None
    dist.all_reduce(tensor, group=_group.tensors)
    tensor /= _group.world


@torch.no_grad()
def _flat(tensors: Sequence[Tensor], exchange: Callable[[Tensor], object]) -> None:
    """Exchange tensors as one vector: a message for each would cost more than what it carries."""
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    exchange(flat)
    parts = flat.split([tensor.numel() for tensor in tensors])
    torch._foreach_copy_(list(tensors), [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)])
