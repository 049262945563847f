"""Images in files, checked before training, then held in memory or read when they are asked for."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import PIL
import torch
from PIL import UnidentifiedImageError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gan_framework.api import FORMATS, Cache, ConfigError, Data, InMemory, RunFailed, decode, fit
from gan_zoo.datasets.files import Files

log = logging.getLogger(__name__)

CHUNK = 128
"""Files that one process checks at a time."""

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Reading:
    """How image files are read.

    Attributes:
        on_bad: `skip` or `refuse` files that cannot be read.
        in_memory_mb: images that take at most so many MiB are held in memory, others streamed.
    """

    on_bad: str
    in_memory_mb: int

    def __post_init__(self) -> None:
        if self.on_bad not in ("skip", "refuse"):
            raise ConfigError(f"data.on_bad={self.on_bad} must be skip or refuse")
        if not (isinstance(self.in_memory_mb, int) and self.in_memory_mb >= 0):
            raise ConfigError(f"data.in_memory_mb={self.in_memory_mb} must be a whole number, 0 or more")


class ImageFiles(Data):
    """Images that are read from their files when they are asked for.

    Args:
        files: where the files are.
        names: the files' names, in the samples' order.
        shape: the wanted shape (C, H, W).
        labels: class indices (N,) or None.
        digests: the samples' SHA-256 (N, 32) uint8, or None to compute them when asked for.
    """

    def __init__(
        self, files: Files, names: Sequence[str], shape: Shape, labels: Tensor | None, digests: Tensor | None
    ) -> None:
        self.files = files
        self.names = names
        self.shape = shape
        self.labels = labels
        self._digests = digests

    def __len__(self) -> int:
        return len(self.names)

    def read(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return images (n, C, H, W) uint8.

        Raises:
            RunFailed: a file cannot be read any more as it was before the training.
        """
        return torch.stack([self._read(int(index)) for index in indices])

    def _read(self, index: int) -> Tensor:
        name = self.names[index]
        image = load(self.files, name, self.shape)
        if isinstance(image, str):
            raise RunFailed(f"{self.files.path} has changed during the run: {image}")
        known = None if self._digests is None else self._digests[index].numpy().tobytes()
        if known is not None and _digest(image.contiguous().numpy()).tobytes() != known:
            raise RunFailed(f"{self.files.path} has changed during the run: {name} is another image than before it")
        return image

    def digests(self) -> bytes:
        """Return every sample's SHA-256, joined."""
        return super().digests() if self._digests is None else self._digests.numpy().tobytes()


def load(files: Files, name: str, shape: Shape) -> Tensor | str:
    """Return an image (C, H, W) uint8, or why it cannot be read."""
    try:
        return fit(decode(files.read(name))[None], shape[1], shape[0])[0]
    except UnidentifiedImageError:
        return f"{name}: no {', '.join(FORMATS)} image"
    except Exception as error:  # a damaged file can make a decoder raise anything
        return f"{name}: {type(error).__name__}: {error}"


def load_images(
    files: Files,
    names: Sequence[str],
    shape: Shape,
    labels: Tensor | None,
    reading: Reading,
) -> Data:
    """Read every file once, deal with the bad ones, and return the images.

    Args:
        files: where the files are.
        names: the files' names, in the samples' order.
        shape: the wanted shape (C, H, W).
        labels: the files' class indices (N,), or None.
        reading: what to do with bad files and with many.

    Raises:
        ConfigError: there are bad files and they are to be refused, or there are no good ones.
    """
    hold = len(names) * shape[0] * shape[1] * shape[2] <= reading.in_memory_mb * 2**20
    log.info("reading %d images of %s", len(names), files.path)
    if hold:
        values, bad = _scan(files, names, shape, hold)
    else:
        values, bad = _remembered(files, names, shape)
    kept = [number for number in range(len(names)) if number not in bad]
    if bad:
        _report(files, bad, len(names), reading.on_bad)
    if not kept:
        raise ConfigError(f"{files.path}: not one of {len(names)} images can be read")
    labels = None if labels is None else labels[kept]
    if hold:
        return InMemory(values, labels)
    return ImageFiles(files, [names[number] for number in kept], shape, labels, values)


def _report(files: Files, bad: dict[int, str], total: int, on_bad: str) -> None:
    shown = "; ".join(list(bad.values())[:10])
    more = f"; and {len(bad) - 10} more" if len(bad) > 10 else ""
    message = f"{files.path}: {len(bad)} of {total} images cannot be read: {shown}{more}"
    if on_bad == "refuse":
        raise ConfigError(f"{message}. Remove or replace them, or set data.on_bad=skip")
    log.warning("%s. They are skipped", message)


class _Scanned(NamedTuple):
    # Not a tensor: those go from a worker to its parent by shared memory, of which containers have little.
    values: np.ndarray  # of the good files: images (n, C, H, W), or digests (n, 32)
    bad: dict[int, str]  # why, by the file's number


class _Scan(Dataset[_Scanned]):
    """Reads a chunk of files at a time, in a worker or in this process."""

    def __init__(self, files: Files, names: Sequence[str], shape: Shape, hold: bool) -> None:
        self.files, self.names, self.shape, self.hold = files, names, shape, hold
        self.value_shape = shape if hold else (32,)

    def __len__(self) -> int:
        return -(-len(self.names) // CHUNK)

    def __getitem__(self, chunk: int) -> _Scanned:
        good, bad = [], {}
        for number in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(self.names))):
            image = load(self.files, self.names[number], self.shape)
            if isinstance(image, str):
                bad[number] = image
            else:
                pixels = image.contiguous().numpy()
                good.append(pixels if self.hold else _digest(pixels))
        return _Scanned(np.stack(good) if good else np.empty((0, *self.value_shape), np.uint8), bad)


def _digest(pixels: np.ndarray) -> np.ndarray:
    return np.frombuffer(hashlib.sha256(pixels.tobytes()).digest(), np.uint8)


def _scan(files: Files, names: Sequence[str], shape: Shape, hold: bool) -> tuple[Tensor, dict[int, str]]:
    """Return the good files' images (n, C, H, W) or digests (n, 32), and why the others are bad."""
    scan = _Scan(files, names, shape, hold)
    loader = DataLoader(
        scan,
        batch_size=None,
        num_workers=min(8, _processors(), len(scan) // 16),  # few files are read before a worker has started
        collate_fn=_as_it_is,
        generator=torch.Generator(),
    )
    values, count, bad = np.empty((len(names), *scan.value_shape), np.uint8), 0, {}
    for part in loader:
        values[count : count + len(part.values)] = part.values
        count += len(part.values)
        bad.update(part.bad)
    return torch.from_numpy(values[:count]), bad


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _as_it_is(scanned: Any) -> Any:
    return scanned


def _remembered(files: Files, names: Sequence[str], shape: Shape) -> tuple[Tensor, dict[int, str]]:
    """Return the digests of the good files and what is wrong with the bad, from the cache if they are there.

    A large set takes minutes to read through; a sweep should do that once.
    """
    stamps = json.dumps([files.stamp(name) for name in names]).encode()
    key = {
        "path": str(files.path.resolve()),
        "files": hashlib.sha256(stamps).hexdigest(),
        "shape": shape,
        "versions": [PIL.__version__, torch.__version__],
    }

    def scan() -> dict[str, Tensor]:
        digests, bad = _scan(files, names, shape, hold=False)
        return {"digests": digests, "bad": torch.frombuffer(bytearray(json.dumps(bad).encode()), dtype=torch.uint8)}

    found = Cache().get("scans", key, scan)
    bad = json.loads(found["bad"].numpy().tobytes())
    return found["digests"], {int(number): why for number, why in bad.items()}
