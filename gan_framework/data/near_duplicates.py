"""Data without samples that all but repeat an earlier one, which a discriminator would learn by heart."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_framework.data.memory import InMemory
from gan_framework.data.source import CHUNK, Data
from gan_framework.errors import ConfigError

log = logging.getLogger(__name__)

SKETCH = 256
"""The greatest number of values that are kept of each sample, so that streamed data need little memory."""

SLACK = 1e-4
"""Share of the squared norms by which squared distances in float32 may be off; what seems near is compared exactly."""

DIGEST = 32
"""Bytes of a SHA-256."""

NAMED = 5


def without_near_duplicates(data: Data, threshold: float | None, setting: str = "data.drop_near_duplicates") -> Data:
    """Return data without the samples that are near to an earlier one that stays, whatever their labels.

    The distance is the root of the mean squared difference of values, those of 8-bit images from 0 to 1. What
    stays follows from the samples alone, exactly, so that every process and every resumed run has the same data.
    All pairs are compared: a second for ten thousand images, a quarter of a minute for fifty thousand.

    Args:
        data: the samples, read once in their order.
        threshold: the greatest distance of a near-duplicate, 0 for copies alone; None leaves the data as they are.
        setting: names the threshold in messages.

    Raises:
        ConfigError: the threshold is no distance, or the samples are tokens, between which there is none.
    """
    if threshold is None:
        return data
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold < math.inf:
        raise ConfigError(f"{setting}={threshold!r} must be a number of at least 0, or null to keep all samples")
    if data.vocabulary:
        raise ConfigError(f"{setting}={threshold}: the samples are tokens, which have no distance; set it to null")
    kept, like = _first_of_each(data, float(threshold))
    if not like:
        log.info("%s=%g: all %d samples differ by more", setting, threshold, len(data))
        return data
    named = ", ".join(f"{dropped} like {first}" for dropped, first in [*like.items()][:NAMED])
    log.info(
        "%s=%g: %d of %d samples are left out, as near-duplicates of earlier ones: %s%s",
        *(setting, threshold, len(like), len(data), named, ", ..." if len(like) > NAMED else ""),
    )
    return chosen(data, torch.tensor(kept))


def chosen(data: Data, index: Tensor) -> Data:
    """Return the samples of data at indices (N,), in memory if the data are."""
    if not isinstance(data, InMemory):
        return Part(data, index)
    labels = None if data.labels is None else data.labels[index]
    extra = {name: tensor[index] for name, tensor in data.extra.items()}
    part = InMemory(data.samples[index], labels, extra, data.vocabulary)
    part.notes = data.notes
    return part


class Part(Data):
    """Some samples of data that are read when they are asked for.

    Args:
        whole: the data.
        index: which of its samples (N,).
    """

    def __init__(self, whole: Data, index: Tensor) -> None:
        self.whole = whole
        self.index = index
        self.labels = None if whole.labels is None else whole.labels[index]
        self.vocabulary = whole.vocabulary
        self.notes = whole.notes

    def __len__(self) -> int:
        return len(self.index)

    def read(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return samples (n, ...) as they are stored."""
        return self.whole.read(self._of(indices))

    def read_extra(self, indices: Sequence[int] | Tensor) -> Mapping[str, Tensor]:
        """Return the samples' extras (n, ...) by name, as they are stored."""
        return self.whole.read_extra(self._of(indices))

    def digests(self) -> bytes:
        """Return every sample's SHA-256, joined."""
        whole = self.whole.digests()
        return b"".join(whole[DIGEST * i : DIGEST * (i + 1)] for i in self.index.tolist())

    def _of(self, indices: Sequence[int] | Tensor) -> list[int]:
        return self.index[torch.as_tensor(indices, dtype=torch.int64)].tolist()


def _first_of_each(data: Data, threshold: float) -> tuple[list[int], dict[int, int]]:
    """Return the indices of what stays, and for all else the index of the sample it is like."""
    kept: list[int] = []
    like: dict[int, int] = {}
    sketches = torch.empty(0)
    for start in range(0, len(data), CHUNK):
        samples = data.read(range(start, min(start + CHUNK, len(data))))
        new = _sketch(samples)
        if not start:
            sketches = torch.empty(len(data), new.shape[1])
        limit = threshold**2 * samples[0].numel()
        before = len(kept)
        to_kept, to_new = _may_be_near(new, sketches[:before], limit), _may_be_near(new, new, limit)
        to_some, to_others = to_kept.any(1).tolist(), to_new.tolist()
        stays: list[int] = []
        for row, sample in enumerate(samples):
            own = [other for other in stays if to_others[row][other]]
            first = _near(sample, samples[own], [start + other for other in own], limit) if own else None
            if to_some[row]:
                earlier = [kept[i] for i in to_kept[row].nonzero()[:, 0].tolist()]
                for part in (earlier[i : i + CHUNK] for i in range(0, len(earlier), CHUNK)):
                    if (found := _near(sample, data.read(part), part, limit)) is not None:
                        first = found
                        break
            if first is None:
                stays.append(row)
            else:
                like[start + row] = first
        sketches[before : before + len(stays)] = new[stays]
        kept += [start + row for row in stays]
    return kept, like


def _sketch(samples: Tensor) -> Tensor:
    """Return at most `SKETCH` values (N, K) of each sample (N, ...), whose distances are no greater than the samples'.

    They are sums over runs of equal length over the root of that length: a projection onto what is constant in each.
    """
    values = samples.flatten(1).float()
    if samples.dtype == torch.uint8:
        values = values / 255
    length = -(-values.shape[1] // SKETCH)
    padded = F.pad(values, (0, -values.shape[1] % length))
    sums: Tensor = padded.unflatten(1, (-1, length)).sum(2)
    return sums / math.sqrt(length)


def _may_be_near(a: Tensor, b: Tensor, limit: float) -> Tensor:
    """Return which of two sides' samples (N, M) may have a squared distance within a limit, by their sketches."""
    norms = a.square().sum(1)[:, None] + b.square().sum(1)
    return torch.addmm(norms, a, b.T, beta=1 - SLACK, alpha=-2) <= limit


def _near(sample: Tensor, others: Tensor, names: list[int], limit: float) -> int | None:
    """Return the name of the first of other samples (M, ...) whose squared distance is within a limit, exactly."""
    if sample.dtype == torch.uint8:
        squares = (others.int() - sample.int()).square().flatten(1).sum(1)  # whole numbers
        near = squares.double() <= limit * 255**2
    else:
        near = (others.double() - sample.double()).square().flatten(1).sum(1) <= limit
    return names[int(near.int().argmax())] if near.any() else None
