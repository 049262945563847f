"""Batches of real data whose order follows from the seed and the number of batches drawn, nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gan_framework.core import seeding
from gan_framework.core.contracts.networks import SAMPLES
from gan_framework.core.records import EMPTY, Batch
from gan_framework.data.encoding import encoded
from gan_framework.data.memory import LAYOUTS, InMemory
from gan_framework.data.mirroring import mirrored_with
from gan_framework.data.source import Data, identity
from gan_framework.data.transforms import Settings, Transforms
from gan_framework.errors import ConfigError, GanFrameworkError

Record = dict[str, Tensor]
"""Samples (N, ...), named `samples`, and their extras by name, as they are stored."""


class Batches:
    """Draws shuffled batches without end; every epoch has its own order, and its remainder is dropped.

    Batch i is computed from (seed, name, epoch, i) alone, so a run resumes by setting `drawn`. Of several
    processes each takes its own slice of the batch that one would draw.

    Attributes:
        drawn: the number of batches drawn so far; setting it continues from there.

    Args:
        data: the samples. `InMemory` data live on the device; others are streamed.
        batch_size: samples per batch, of all processes together.
        seed: what the order and the flips follow from.
        device: where the batches are wanted.
        flip: whether to mirror each image left to right with probability 1/2.
        transform: torchvision's transforms that change images at random (see `Transforms`), or None.
        workers: processes that read streamed data ahead; 0 reads in this process.
        rank: this process's number.
        world: the number of processes.
        name: the source's name among the run's further sources; empty for the first.
        mirrors: for each extra whether it is mirrored with its sample (see `DataSource`).
        others: what draws the batches of the further sources, which are drawn together with this one's.

    Raises:
        ConfigError: the data cannot fill one batch, or what cannot be mirrored or transformed was to be.
    """

    def __init__(
        self,
        data: Data,
        batch_size: int,
        seed: int,
        device: torch.device | str,
        *,
        flip: bool = False,
        transform: Settings | None = None,
        workers: int = 0,
        rank: int = 0,
        world: int = 1,
        name: str = "",
        mirrors: Mapping[str, bool] = EMPTY,
        others: Mapping[str, Batches] = EMPTY,
    ) -> None:
        section = f"sources.{name}" if name else "data"
        if not 1 <= batch_size <= len(data):
            raise ConfigError(
                f"train.batch_size={batch_size} must be at least 1 and at most {len(data)}, the size of "
                f"{section if name else 'the data'}"
            )
        if batch_size % world:
            raise ConfigError(
                f"train.batch_size={batch_size} cannot be shared out evenly among {world} processes; "
                f"use {max(batch_size // world, 1) * world}"
            )
        if not (isinstance(workers, int) and workers >= 0):
            raise ConfigError(f"{section}.workers={workers} must be a whole number, 0 or more")
        own_seed = seeding.derive(seed, "source", name) if name else seed
        self.data = data
        self.device = torch.device(device)
        self.workers = workers
        self.others = dict(others)
        self.drawn = 0
        self._share = _Share(len(data), batch_size // world, own_seed, rank, world, self.device)
        self._flipped = mirrored_with(_record(data, [0]), mirrors, f"{section}.flip") if flip else frozenset[str]()
        self._transforms: Transforms | None = None
        if transform:
            self._transforms = Transforms(transform, mirrors, _record(data, [0]), f"{section}.transform")
        self._labels = None if data.labels is None else data.labels.to(self.device)
        self._positions = torch.arange(batch_size // world, device=self.device)
        self._held = self._hold({SAMPLES: data.samples, **data.extra}) if isinstance(data, InMemory) else None
        self._stream: Iterator[Record | GanFrameworkError] | None = None
        self._streamed = 0

    def __call__(self) -> Batch:
        """Return the next batch: 8-bit samples in [-1, 1], tokens one-hot, others as they are stored."""
        batch = self._batch(self.drawn)
        self.drawn += 1
        return batch

    def _batch(self, number: int) -> Batch:
        index = self._share.indices(number)
        labels = None if self._labels is None else self._labels.index_select(0, index)
        held, rows = (
            (self._held, index) if self._held is not None else (self._hold(self._read(number)), self._positions)
        )
        coins = _to(self._share.coins(number), self.device) if self._flipped else None
        tensors = {name: tensor.take(rows, coins) for name, tensor in held.items()}
        if self._transforms is not None:
            tensors = self._transforms(tensors, *self._share.draws(number))
        samples = encoded(tensors.pop(SAMPLES), self.data.vocabulary)
        extra = {name: encoded(tensor) for name, tensor in tensors.items()}
        return Batch(samples, labels, extra, index, {name: other._batch(number) for name, other in self.others.items()})

    def _hold(self, record: Record) -> dict[str, _Held]:
        return {name: _Held(tensor, self.device, name in self._flipped) for name, tensor in record.items()}

    def _read(self, number: int) -> Record:
        """Return what is stored of the batch of a number, read ahead unless another one was expected."""
        if self._stream is None or self._streamed != number:
            self._stream = None  # ends the workers that read ahead from another place
            self._stream = iter(self._loader(number))
        record = next(self._stream)
        if isinstance(record, GanFrameworkError):
            self._stream = None  # ends the workers
            raise record
        self._streamed = number + 1
        return record

    def identities(self) -> dict[str, dict[str, Any]]:
        """Return the `identity` of the data, by the name of the source; the first has none."""
        return {name: identity(drawn.data) for name, drawn in {"": self, **self.others}.items()}

    def _loader(self, first: int) -> DataLoader[Record | GanFrameworkError]:
        """Return a loader that reads from the batch of a number on, without end."""
        share = replace(self._share, device=torch.device("cpu"))
        return DataLoader(
            _Reader(self.data),
            sampler=(share.indices(number).tolist() for number in itertools.count(first)),
            batch_size=None,
            num_workers=self.workers,
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # else the loader would draw from the global random state
        )


class _Held:
    """A tensor on the device, followed by its mirror image if it is to be mirrored.

    It is laid out so that a gather gives a batch channels-last, and mirroring costs nothing more than the gather.
    """

    def __init__(self, stored: Tensor, device: torch.device, mirrored: bool) -> None:
        values = stored.to(device, non_blocking=True)
        self.channels_last = values.ndim in LAYOUTS
        if self.channels_last:
            values = values.movedim(1, -1).contiguous()
        self.mirror = len(values) if mirrored else 0
        self.values = torch.cat([values, values.flip(-2)]) if mirrored else values

    def take(self, index: Tensor, coins: Tensor | None) -> Tensor:
        """Return rows of the tensor, those with a coin of 1 mirrored if it is mirrored at all."""
        if self.mirror and coins is not None:
            index = index.add(coins, alpha=self.mirror)
        rows = self.values.index_select(0, index)
        return rows.movedim(-1, 1) if self.channels_last else rows


def _to(drawn: Tensor, device: torch.device) -> Tensor:
    """Bring what was drawn on the CPU to the device, without waiting for what the device still computes."""
    return drawn.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else drawn.to(device)


@dataclass
class _Share:
    """Which samples this process's part of each global batch has."""

    n: int
    batch_size: int
    seed: int
    rank: int
    world: int
    device: torch.device = torch.device("cpu")
    epoch: int = field(default=-1, init=False)
    order: Tensor = field(default_factory=lambda: torch.empty(0), init=False)

    @property
    def size(self) -> int:
        """The number of samples in a global batch."""
        return self.batch_size * self.world

    def indices(self, number: int) -> Tensor:
        """Return the indices (batch_size,) of this process's part of the batch of a number."""
        epoch, position = divmod(number, self.n // self.size)
        if epoch != self.epoch:
            random = seeding.generator(self.seed, "epoch", epoch)
            self.epoch, self.order = epoch, _to(torch.randperm(self.n, generator=random), self.device)
        return self.own(self.order[position * self.size : (position + 1) * self.size])

    def coins(self, number: int) -> Tensor:
        """Return for this process's part of the batch of a number which samples are flipped (batch_size,): 0 or 1."""
        return self.own(torch.randint(2, (self.size,), generator=seeding.generator(self.seed, "flip", number)))

    def draws(self, number: int) -> tuple[int, Sequence[int]]:
        """Return the seed of the batch of a number, and the positions in it of this process's samples."""
        start = self.rank * self.batch_size
        return seeding.derive(self.seed, "transform", number), range(start, start + self.batch_size)

    def own(self, values: Tensor) -> Tensor:
        """Return this process's part of one value per sample of a global batch."""
        return values[self.rank * self.batch_size : (self.rank + 1) * self.batch_size]


class _Reader(Dataset["Record | GanFrameworkError"]):
    """Reads a batch of samples with their extras at a time, in a worker or in this process."""

    def __init__(self, data: Data) -> None:
        self.data = data

    def __getitem__(self, indices: list[int]) -> Record | GanFrameworkError:
        try:
            return _record(self.data, indices)
        except GanFrameworkError as error:  # raised by a worker it would carry the worker's traceback
            return error


def _record(data: Data, indices: list[int]) -> Record:
    return {SAMPLES: data.read(indices), **data.read_extra(indices)}


def images(data: Data, batch_size: int) -> Iterator[Tensor]:
    """Yield all samples in their order as `Data.read` gives them, at most `batch_size` at a time."""
    for start in range(0, len(data), batch_size):
        yield data.read(range(start, min(start + batch_size, len(data))))
