"""Scoring in several processes: each extracts the features of its share of the samples, and the first has them all."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from gan_framework.core.distributed import Group
from gan_framework.errors import NonFinite, RunFailed
from gan_framework.evaluation.extractor import Features
from gan_framework.evaluation.features import Bounds

GOES_ON, BROKEN_OFF, NOT_FINITE = range(3)
"""What a process says of itself after each batch."""


class BrokenOff(Exception):
    """Another process has broken off."""


@dataclass(frozen=True)
class Share:
    """Which of the samples each process takes: whole batches one after another, as one process would make them.

    Attributes:
        count: samples in all.
        batch_size: samples in a batch.
        group: the processes.
    """

    count: int
    batch_size: int
    group: Group

    @property
    def rounds(self) -> int:
        """The number of batches of a process; the last ones have fewer, or none."""
        return math.ceil(math.ceil(self.count / self.batch_size) / self.group.world)

    @property
    def rows(self) -> int:
        """The number of samples of a process; the last ones have fewer, or none."""
        return self.rounds * self.batch_size

    def of(self, rank: int) -> slice:
        """Return the samples of a process."""
        return slice(min(rank * self.rows, self.count), min((rank + 1) * self.rows, self.count))

    @property
    def own(self) -> slice:
        """The samples of this process."""
        return self.of(self.group.rank)


def share(count: int, batch_size: int, kept: int, group: Group | None) -> Share | None:
    """Return how samples are shared out; None where one process makes them all.

    Args:
        count: samples in all.
        batch_size: samples in a batch.
        kept: samples that the first process must have itself.
        group: the processes; None for one.
    """
    if group is None:
        return None
    found = Share(count, batch_size, group)
    return found if kept <= found.rows and count > batch_size else None


def together(
    shared: Share, batches: Iterable[Tensor], bounds: Bounds, extract: Callable[[Iterable[Tensor], int], Features]
) -> Features | None:
    """Return the features of all samples in the first process, None in the others.

    After each batch the processes agree on whether to go on, so that one that is stopped stops all.

    Args:
        shared: how the samples are shared out.
        batches: this process's.
        bounds: of the values of its samples, which become those of all.
        extract: returns the features of so many samples in batches.

    Raises:
        NonFinite: the samples of a process are not finite.
        BrokenOff: another process was stopped or has failed.
    """
    rounds = _Rounds(shared)
    count = shared.own.stop - shared.own.start
    own = None
    try:
        if count:
            own = extract(rounds.watching(batches), count)
        else:
            rounds.wait()
    except (BrokenOff, NonFinite) as error:
        rounds.say(NOT_FINITE if isinstance(error, NonFinite) else BROKEN_OFF)
        raise
    except BaseException:
        with suppress(Exception):  # the others may be gone
            rounds.say(BROKEN_OFF)
        raise
    _join_bounds(bounds, shared.group)
    features = _gathered(None if own is None else own.features, shared)
    logits = _gathered(None if own is None else own.logits, shared)
    return None if features is None else Features(features, logits)


class _Rounds:
    """The agreements after each batch."""

    def __init__(self, shared: Share) -> None:
        self._group = shared.group
        self._left = shared.rounds
        self._over = False

    def watching(self, batches: Iterable[Tensor]) -> Iterator[Tensor]:
        """Yield this process's batches, and agree after each, and for those that only others have."""
        for batch in batches:
            yield batch
            self._agree()
        self.wait()

    def wait(self) -> None:
        """Agree for the batches that only others have."""
        while self._left:
            self._agree()

    def say(self, what: int) -> None:
        """Tell the others of the present batch why this process leaves, unless it leaves because of them."""
        if self._left and not self._over:
            self._vote(what)

    def _agree(self) -> None:
        worst = self._vote(GOES_ON)
        if worst == NOT_FINITE:
            raise NonFinite("the generated samples cannot be scored: some hold NaN or infinite values")
        if worst == BROKEN_OFF:
            raise BrokenOff

    def _vote(self, what: int) -> int:
        votes = torch.tensor(what)
        dist.all_reduce(votes, dist.ReduceOp.MAX, group=self._group.words)
        self._left -= 1
        self._over = bool(votes)
        return int(votes)


def _join_bounds(bounds: Bounds, group: Group) -> None:
    found = torch.tensor([-bounds.lowest, bounds.highest], dtype=torch.float64)
    dist.all_reduce(found, dist.ReduceOp.MAX, group=group.words)
    bounds.lowest, bounds.highest = -float(found[0]), float(found[1])


def _gathered(own: Tensor | None, shared: Share) -> Tensor | None:
    """Return the rows of all processes in the first, where it has any."""
    group = shared.group
    width = torch.tensor(0 if own is None else own.shape[1])
    dist.all_reduce(width, dist.ReduceOp.MAX, group=group.words)  # a process without samples does not know it
    if not width:
        return None
    padded = torch.zeros(shared.rows, int(width))
    if own is not None:
        padded[: len(own)] = own
    parts = [torch.empty_like(padded) for _ in range(group.world)] if group.rank == 0 else None
    dist.gather(padded, parts, dst=0, group=group.words)
    return None if parts is None else torch.cat(parts)[: shared.count]


def failed() -> RunFailed:
    """Return what the first process says where another could not do its share."""
    return RunFailed("another process could not score its share of the samples; see its message above")
