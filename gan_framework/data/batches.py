"""Batches of real data whose order follows from the seed and the number of batches drawn, nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gan_framework.core import seeding
from gan_framework.core.records import Batch
from gan_framework.data.memory import InMemory
from gan_framework.data.source import Data
from gan_framework.errors import ConfigError, GanFrameworkError


class Batches:
    """Draws shuffled batches without end; every epoch has its own order, and its remainder is dropped.

    Batch i is computed from (seed, epoch, i) alone, so a run resumes by setting `drawn`. Of several
    processes each takes its own slice of the batch that one would draw.

    Args:
        data: the samples. `InMemory` data live on the device; others are streamed.
        batch_size: samples per batch, of all processes together.
        seed: what the order and the flips follow from.
        device: where the batches are wanted.
        flip: whether to mirror each image left to right with probability 1/2.
        workers: processes that read streamed data ahead; 0 reads in this process.
        rank: this process's number.
        world: the number of processes.

    Raises:
        ConfigError: the data cannot fill one batch, or vectors were to be flipped.
    """

    def __init__(
        self,
        data: Data,
        batch_size: int,
        seed: int,
        device: torch.device | str,
        *,
        flip: bool = False,
        workers: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if not 1 <= batch_size <= len(data):
            raise ConfigError(
                f"train.batch_size={batch_size} must be at least 1 and at most {len(data)}, the size of the data"
            )
        if batch_size % world:
            raise ConfigError(
                f"train.batch_size={batch_size} cannot be shared out evenly among {world} processes; "
                f"use {max(batch_size // world, 1) * world}"
            )
        if not (isinstance(workers, int) and workers >= 0):
            raise ConfigError(f"data.workers={workers} must be a whole number, 0 or more")
        self.data = data
        self.seed = seed
        self.device = torch.device(device)
        self.flip = flip
        self.workers = workers
        self._drawn = 0
        self._share = _Share(len(data), batch_size // world, seed, rank, world, self.device)
        self._stream: Iterator[Tensor | GanFrameworkError] | None = None
        self._labels = None if data.labels is None else data.labels.to(self.device)
        if flip and data.read([0]).ndim != 4:
            raise ConfigError("data.flip=true mirrors images, but the samples are vectors: set data.flip=false")
        self._positions = torch.arange(batch_size // world, device=self.device)
        self._held = self._hold(data.samples) if isinstance(data, InMemory) else None

    @property
    def drawn(self) -> int:
        """The number of batches drawn so far; setting it continues from there."""
        return self._drawn

    @drawn.setter
    def drawn(self, drawn: int) -> None:
        if drawn != self._drawn:
            self._stream = None  # what was read ahead belongs to another place
        self._drawn = drawn

    def __call__(self) -> Batch:
        """Return the next batch: images (N, C, H, W) float32 in [-1, 1], or vectors (N, D) as they are."""
        index = self._share.indices(self._drawn)
        labels = None if self._labels is None else self._labels.index_select(0, index)
        if self._held is not None:
            samples = self._gather(self._held, index)
        else:
            samples = self._gather(self._hold(self._streamed()), self._positions)
        self._drawn += 1
        return Batch(samples, labels)

    def _hold(self, samples: Tensor) -> Tensor:
        """Bring samples to the device, images as (N, H, W, C), followed by their mirror images if flipping.

        In this layout a gather gives channels-last images, and mirroring costs nothing more than it.
        """
        samples = samples.to(self.device, non_blocking=True)
        if samples.ndim == 2:
            return samples
        samples = samples.permute(0, 2, 3, 1).contiguous()
        return torch.cat([samples, samples.flip(2)]) if self.flip else samples

    def _gather(self, held: Tensor, index: Tensor) -> Tensor:
        if self.flip:
            random = seeding.generator(self.seed, "flip", self._drawn)
            coins = self._share.own(torch.randint(2, (self._share.size,), generator=random))
            index = index.add(coins.to(self.device), alpha=len(held) // 2)
        samples = held.index_select(0, index)
        if samples.ndim == 2:
            return samples
        return samples.permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1.0)

    def _streamed(self) -> Tensor:
        if self._stream is None:
            self._stream = iter(self._loader())
        samples = next(self._stream)
        if isinstance(samples, GanFrameworkError):
            self._stream = None  # ends the workers
            raise samples
        return samples

    def _loader(self) -> DataLoader[Tensor | GanFrameworkError]:
        """Return a loader that reads on from the batch after those drawn, without end."""
        share = replace(self._share, device=torch.device("cpu"))
        numbers = itertools.count(self._drawn)
        return DataLoader(
            _Reader(self.data),
            sampler=(share.indices(number).tolist() for number in numbers),
            batch_size=None,
            num_workers=self.workers,
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # else the loader would draw from the global random state
        )


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
            self.epoch, self.order = epoch, order(self.seed, epoch, self.n).to(self.device)
        return self.own(self.order[position * self.size : (position + 1) * self.size])

    def own(self, values: Tensor) -> Tensor:
        """Return this process's part of one value per sample of a global batch."""
        return values[self.rank * self.batch_size : (self.rank + 1) * self.batch_size]


class _Reader(Dataset["Tensor | GanFrameworkError"]):
    """Reads a batch of samples at a time, in a worker or in this process."""

    def __init__(self, data: Data) -> None:
        self.data = data

    def __getitem__(self, indices: list[int]) -> Tensor | GanFrameworkError:
        try:
            return self.data.read(indices)
        except GanFrameworkError as error:  # raised by a worker it would carry the worker's traceback
            return error


def order(seed: int, epoch: int, n: int) -> Tensor:
    """Return the order in which an epoch visits n samples."""
    return torch.randperm(n, generator=seeding.generator(seed, "epoch", epoch))


def images(data: Data, batch_size: int) -> Iterator[Tensor]:
    """Yield all samples in their order as `Data.read` gives them, at most `batch_size` at a time."""
    for start in range(0, len(data), batch_size):
        yield data.read(range(start, min(start + batch_size, len(data))))
