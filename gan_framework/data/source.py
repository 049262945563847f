"""The contracts of data: a source of splits, and one split's samples and labels."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from gan_framework.core.records import EMPTY, DataShape
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS

CHUNK = 256
"""Samples that are held in memory at once when a whole set is read."""


class Data(ABC):
    """The samples of one split, read by index.

    Attributes:
        labels: class indices (N,) int64, condition vectors (N, K) float32, or None.
        vocabulary: the number V of symbols where samples are tokens, else 0.
        notes: in words what was done to the samples on their way (resized, held out), for the start of a run.
    """

    labels: Tensor | None = None
    vocabulary: int = 0
    notes: tuple[str, ...] = ()

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples."""

    @abstractmethod
    def read(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return samples on the CPU as they are stored.

        Returns:
            float32 (n, ...) of any shape; 8-bit images (n, C, H, W), volumes (n, C, D, H, W) or videos (n, T, C, H, W)
            uint8, which batches hold in [-1, 1]; or tokens (n, T) int64, which batches hold one-hot (n, T, V).
        """

    def read_extra(self, indices: Sequence[int] | Tensor) -> Mapping[str, Tensor]:
        """Return further tensors (n, ...) of the same samples by name: float32, int64, or 8-bit images uint8."""
        return EMPTY

    def read_truth(self, indices: Sequence[int] | Tensor) -> Tensor | None:
        """Return what a game that makes other samples of these should make of them (n, ...), as samples are stored.

        None where nobody knows. Scores and pictures ask for it; no network ever sees it.
        """
        return None

    def content_hash(self) -> str:
        """Return the SHA-256, in hex, of all samples, labels and extras; the same however they are held."""
        return self._content_hash

    def digests(self) -> bytes:
        """Return every sample's SHA-256, joined."""
        digests = bytearray()
        for indices in self._chunks():
            samples = self.read(indices)
            content, size = _bytes_of(samples), samples[0].numel() * samples.element_size()
            # Views, not tensors: of small samples there may be millions.
            rows = (content[row * size : (row + 1) * size] for row in range(len(samples)))
            digests += b"".join([hashlib.sha256(row).digest() for row in rows])
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
        content.update(self._digests_of_extra())
        return content.hexdigest()

    def _digests_of_extra(self) -> bytes:
        """Return one SHA-256 for each extra, joined; nothing where there are none, so that older hashes hold."""
        first = self.read_extra([0])
        names = sorted(first)
        hashes = {
            name: hashlib.sha256(f"{name} {tuple(first[name].shape[1:])} {first[name].dtype}".encode())
            for name in names
        }
        for indices in self._chunks():
            for name, tensor in self.read_extra(indices).items():
                hashes[name].update(_bytes_of(tensor))
        return b"".join(hashes[name].digest() for name in names)

    def _chunks(self) -> Iterator[range]:
        return (range(start, min(start + CHUNK, len(self))) for start in range(0, len(self), CHUNK))


def _bytes_of(tensor: Tensor) -> memoryview:
    return tensor.contiguous().numpy().reshape(-1).view(np.uint8).data


def identity(data: Data) -> dict[str, Any]:
    """Return what a checkpoint keeps of a split, by which it is known again: its content's hash and its size."""
    return {"content": data.content_hash(), "samples": len(data)}


class DataSource(ABC):
    """Where real data come from; the contract of the plugin kind `datasets`.

    Attributes:
        shape: the shape of the samples and what their labels are, known after construction.
        classes: the names of the classes in the order of their labels; may be empty.
        symbols: what each symbol is written as where samples are tokens, padding as nothing; may be empty.
        found: settings that are known only when the data have been looked at (what a table's columns are), as plain
            values by name; the configuration of a run is completed with them, for networks that need them and so that
            samples can be written without the data.
        finds: their names.
        mirrors: for each extra whether it is mirrored left to right with its sample (a paired image, a mask) or stays
            as it is (a vector, a length); with one that is not named, mirroring is refused.
    """

    shape: DataShape
    classes: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    found: Mapping[str, Any] = EMPTY
    finds: ClassVar[tuple[str, ...]] = ()
    mirrors: Mapping[str, bool] = EMPTY

    @abstractmethod
    def load(self, split: str) -> Data:
        """Return a split, `train` or `test`.

        Raises:
            ConfigError: there is no such split, or its files are missing or unusable.
        """

    @classmethod
    def write(cls, path: Path, samples: Tensor, settings: Mapping[str, Any]) -> list[Path]:
        """Write generated samples in the form that users of such data know, and return the files.

        Args:
            path: where a picture of the samples lies; the files are named after it, with other suffixes.
            samples: what a game has made (N, ...), on the CPU.
            settings: those of `data` in the run's configuration, as there may be no data at hand.
        """
        return []

    @classmethod
    def read_folder(cls, folder: Path, most: int, shape: tuple[int, ...], settings: Mapping[str, Any]) -> Tensor | None:
        """Return what samples are to be made of from the files of a user's folder; None where none but images can be.

        Args:
            folder: what a user names by `sample RUN --from FOLDER`.
            most: the most inputs that are wanted.
            shape: of an input; images are read without this method.
            settings: those of `data` in the run's configuration, as there may be no data at hand.

        Returns:
            Inputs (N, ...) as the data have them, on the CPU.
        """
        return None


def build_source(settings: Mapping[str, Any]) -> DataSource:
    """Build the source that the settings of `data` name, without those the framework uses itself.

    Each split is loaded once, however many read it: the run, what its samples are compared with, an extractor.

    Raises:
        ConfigError: no such plugin, a setting it refuses, or its classes or symbols are not what the settings name.
    """
    if not isinstance(settings.get("flip") or False, bool):
        raise ConfigError(f"data.flip={settings['flip']}: it must be true or false")
    own = {key: value for key, value in settings.items() if key not in KINDS["datasets"].reserved}
    source: DataSource = registry.build("datasets", own)
    if settings.get("classes") is not None:
        check_classes(settings["classes"], source.classes, f"data.classes of {settings['name']}")
    if settings.get("symbols") is not None and [*settings["symbols"]] != [*source.symbols]:
        raise ConfigError(
            f"data.symbols of {settings['name']} are {_listed(settings['symbols'])}, and the data have "
            f"{_listed(source.symbols)}: each token means another"
        )
    source.load = lru_cache(maxsize=None)(source.load)  # type: ignore[method-assign]
    return source


def check_classes(known: Sequence[str], found: Sequence[str], what: str) -> None:
    """Raise ConfigError, with both lists, if data have other classes than they had, or in another order.

    Args:
        known: the names of the classes in the order of their labels, as they were when a run began.
        found: those of the data.
        what: names the former in the message.
    """
    if [*known] != [*found]:
        raise ConfigError(f"{what} are {_listed(known)}, and the data have {_listed(found)}: each label means another")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"[{shown}]"
