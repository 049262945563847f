"""The samples themselves, for data that need no network."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_framework.api import Cache, DataShape, DataSource, Extractor, Features


class Raw(Extractor):
    """All values of a sample, 8-bit ones in [-1, 1]: for toy data, for data of any shape, and to compare with."""

    name = "raw"

    def __init__(self) -> None:
        super().__init__()

    def check(self, shape: DataShape) -> None:
        """Take up the number of values of a sample; every kind is read."""
        self.dim = math.prod(shape.sample)

    def prepare(self, source: DataSource, device: torch.device, cache: Cache) -> None:
        """Do nothing: there are no weights."""

    def extract(self, samples: Tensor) -> Features:
        """Return the samples, flattened."""
        if samples.dtype == torch.uint8:
            samples = samples.float() / 127.5 - 1
        return Features(samples.flatten(1))
