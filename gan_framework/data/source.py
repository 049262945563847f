"""The contracts of data: a source of splits, and one split's samples and labels."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from torch import Tensor

from gan_framework.core.records import DataShape
from gan_framework.registry import registry

COMMON_SETTINGS = ("flip", "workers")
"""Settings of every dataset's YAML that the framework uses itself and gives to no plugin."""

CHUNK = 256
"""Samples that are held in memory at once when a whole set is read."""


class Data(ABC):
    """The samples of one split, read by index.

    Attributes:
        labels: class indices (N,) int64, condition vectors (N, K) float32, or None.
    """

    labels: Tensor | None = None

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples."""

    @abstractmethod
    def read(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return samples on the CPU: images (n, C, H, W) uint8, or vectors (n, D) float32."""

    def content_hash(self) -> str:
        """Return the SHA-256, in hex, of all samples and labels; the same however the samples are held."""
        return self._content_hash

    def digests(self) -> bytes:
        """Return every sample's SHA-256, joined."""
        digests = bytearray()
        for start in range(0, len(self), CHUNK):
            for sample in self.read(range(start, min(start + CHUNK, len(self)))):
                digests += hashlib.sha256(sample.contiguous().numpy()).digest()
        return bytes(digests)

    @cached_property
    def _content_hash(self) -> str:
        first = self.read([0])
        content = hashlib.sha256(f"{len(self)} {tuple(first.shape[1:])} {first.dtype}".encode())
        content.update(self.digests())
        if self.labels is not None:
            labels = self.labels.cpu().contiguous()
            content.update(f"{tuple(labels.shape)} {labels.dtype}".encode())
            content.update(labels.numpy().tobytes())
        return content.hexdigest()


class DataSource(ABC):
    """Where real data come from; the contract of the plugin kind `datasets`.

    Attributes:
        shape: the shape of the samples and what their labels are, known after construction.
        classes: the names of the classes in the order of their labels; may be empty.
    """

    shape: DataShape
    classes: tuple[str, ...] = ()

    @abstractmethod
    def load(self, split: str) -> Data:
        """Return a split, `train` or `test`.

        Raises:
            ConfigError: there is no such split, or its files are missing or unusable.
        """


def build_source(settings: Mapping[str, Any]) -> DataSource:
    """Build the source that the settings of `data` name, without those the framework uses itself.

    Raises:
        ConfigError: no such plugin, or a setting it refuses.
    """
    own = {key: value for key, value in settings.items() if key not in COMMON_SETTINGS}
    source: DataSource = registry.build("datasets", own)
    return source
