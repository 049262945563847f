"""What plugins are tried on: real samples of a configuration's data, or noise of their shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gan_framework.core import seeding
from gan_framework.core.records import Batch, DataShape
from gan_framework.data import Batches, Sources
from gan_framework.data.joining import joined
from gan_framework.errors import GanFrameworkError

BATCH_SIZE = 8

FURTHER = 1_000_003
"""How many batches lie between those of one seed and those of the next: more than a suite draws of one."""


class Samples:
    """Batches of a configuration's data by seed, with their extras, positions and further sources.

    Nothing is downloaded: where the data are not at hand there is noise.

    Args:
        data: the settings under `data`.
        further: the settings under `sources`.
    """

    def __init__(self, data: Mapping[str, Any], further: Mapping[str, Mapping[str, Any]]) -> None:
        self._sources = Sources(_at_hand(data), {name: _at_hand(settings) for name, settings in further.items()})
        self.source = self._sources.first

    @cached_property
    def shape(self) -> DataShape:
        """The shape of the samples, as far as it is known without downloading them."""
        try:
            return self._sources.shape
        except (GanFrameworkError, OSError):
            others = {name: source.shape for name, source in self._sources.others.items()}
            return self.source.shape._replace(others=others)

    def batch(self, n: int = BATCH_SIZE, seed: int = 0) -> Batch:
        """Return n samples with all that belongs to them, others for another seed."""
        if self._batches is None:
            return noise(self.shape, n, seeding.generator(seed, "samples"))
        self._batches.drawn = seed * FURTHER
        return joined([self._batches() for _ in range(math.ceil(n / BATCH_SIZE))]).part(slice(n))

    @cached_property
    def _batches(self) -> Batches | None:
        try:
            return self._sources.batches(BATCH_SIZE, 0, torch.device("cpu"))
        except (GanFrameworkError, OSError):
            return None


def _at_hand(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a dataset, read in this process and not downloaded."""
    quick = {"download": False, "workers": 0}
    return {**settings, **{key: value for key, value in quick.items() if key in settings}}


def noise(shape: DataShape, n: int, random: torch.Generator) -> Batch:
    """Return noise of a shape, in its range, with labels, extras and batches of further sources."""
    labels: Tensor | None = None
    if shape.condition_dim:
        labels = torch.randn(n, shape.condition_dim, generator=random)
    elif shape.num_classes:
        labels = torch.randint(shape.num_classes, (n,), generator=random)
    extra = {name: torch.randn(n, *of_one, generator=random) for name, of_one in shape.extra.items()}
    others = {name: noise(other, n, random) for name, other in shape.others.items()}
    return Batch(_noise(shape, n, random), labels, extra, torch.arange(n) % (shape.size or n), others)


def _noise(shape: DataShape, n: int, random: torch.Generator) -> Tensor:
    if shape.vocabulary:
        tokens = torch.randint(shape.vocabulary, (n, *shape.sample[:-1]), generator=random)
        return torch.nn.functional.one_hot(tokens, shape.vocabulary).float()
    low, high = (-1.0, 1.0) if shape.is_8_bit else shape.value_range or (-math.inf, math.inf)
    if math.isfinite(low) and math.isfinite(high):
        return low + (high - low) * torch.rand(n, *shape.sample, generator=random)
    return torch.randn(n, *shape.sample, generator=random).clamp(low, high)
