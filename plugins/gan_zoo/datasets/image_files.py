"""Images in files, checked before training, then held in memory or read when they are asked for."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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

KIND = "scans"
"""The kind of entries in the cache."""

RULES = 2
"""To be raised when files become other pixels, or others are bad, than before: what is remembered is then read anew."""

Shape = tuple[int, int, int]

Parts = dict[str, Data]
"""The images of each split."""


@dataclass(frozen=True)
class Reading:
    """How image files are read.

    Attributes:
        on_bad: `skip` or `refuse` files that cannot be read.
        in_memory_mb: images that take at most so many MiB are held in memory, others streamed.
        may_skip: whether `on_bad` is a setting of the data set.
    """

    on_bad: str
    in_memory_mb: int
    may_skip: bool = True

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
        forget: is called when an image is not the one that its digest is of; may be sent to another process.
    """

    def __init__(
        self,
        files: Files,
        names: Sequence[str],
        shape: Shape,
        labels: Tensor | None,
        digests: Tensor | None,
        forget: Callable[[], None] | None = None,
    ) -> None:
        self.files = files
        self.names = names
        self.shape = shape
        self.labels = labels
        self._digests = digests
        self._forget = forget

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
            raise self._changed(image)
        known = None if self._digests is None else self._digests[index].numpy().tobytes()
        if known is not None and _digest(image.contiguous().numpy()).tobytes() != known:
            raise self._changed(f"{name} is another image than before it")
        return image

    def _changed(self, how: str) -> RunFailed:
        if self._forget is None:
            return RunFailed(f"{self.files.path} has changed during the run: {how}")
        self._forget()
        return RunFailed(f"{self.files.path} has changed during the run: {how}. The next run reads all images anew")

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
    parts: Mapping[str, Tensor],
    shape: Shape,
    labels: Tensor | None,
    reading: Reading,
) -> Parts:
    """Read every file once, deal with the bad ones, and return the images of each part that has any.

    Args:
        files: where the files are.
        parts: by name, which of the files belong to a part, (n,) int64; no two parts share one.
        shape: the wanted shape (C, H, W).
        labels: the class indices of all files (N,), or None.
        reading: what to do with bad files and with many.

    Raises:
        ConfigError: there are bad files and they are to be refused, or there are no good ones.
    """
    numbers = torch.cat([*parts.values()])
    hold = len(numbers) * shape[0] * shape[1] * shape[2] <= reading.in_memory_mb * 2**20
    if not hold:
        numbers = numbers.sort().values  # what is remembered does not depend on the parts
    names = [files.names[number] for number in numbers.tolist()]
    log.info("reading %d images of %s", len(names), files.path)
    key = {} if hold else _key(files, names, shape)
    scanned, bad, greatest = _scan(files, names, shape, hold) if hold else _remembered(files, names, shape, key)
    values = torch.from_numpy(scanned)
    if bad:
        _report(files, bad, len(names), reading)
    if len(bad) == len(names):
        raise ConfigError(f"{files.path}: not one of {len(names)} images can be read")
    if greatest <= 1:
        log.warning(
            "%s: no pixel of %d images is brighter than %d of 255, so they look black: where 1 means white, save 255",
            *(files.path, len(names), greatest),
        )
    good = torch.tensor([number not in bad for number in range(len(names))])
    row = torch.full((len(files.names),), -1)
    row[numbers[good]] = torch.arange(len(values))
    loaded: Parts = {}
    for part, chosen in parts.items():
        chosen = chosen[row[chosen] >= 0]
        if not len(chosen):
            continue
        rows, its_labels = row[chosen], None if labels is None else labels[chosen]
        if hold:  # one part's rows follow each other: nothing is copied
            loaded[part] = InMemory(values[int(rows[0]) : int(rows[-1]) + 1], its_labels)
        else:
            its_names = [files.names[number] for number in chosen.tolist()]
            loaded[part] = ImageFiles(files, its_names, shape, its_labels, values[rows], partial(_forget, key))
    return loaded


def _report(files: Files, bad: dict[int, str], total: int, reading: Reading) -> None:
    shown = "; ".join(list(bad.values())[:10])
    more = f"; and {len(bad) - 10} more" if len(bad) > 10 else ""
    message = f"{files.path}: {len(bad)} of {total} images cannot be read: {shown}{more}"
    if reading.on_bad == "refuse":
        raise ConfigError(f"{message}. Remove or replace them{', or set data.on_bad=skip' * reading.may_skip}")
    log.warning("%s. They are skipped", message)


class _Scanned(NamedTuple):
    # Not a tensor: those go from a worker to its parent by shared memory, of which containers have little.
    values: np.ndarray  # of the good files: images (n, C, H, W), or digests (n, 32)
    bad: dict[int, str]  # why, by the file's number
    greatest: int  # of all pixels


class _Scan(Dataset[_Scanned]):
    """Reads a chunk of files at a time, in a worker or in this process."""

    def __init__(self, files: Files, names: Sequence[str], shape: Shape, hold: bool) -> None:
        self.files, self.names, self.shape, self.hold = files, names, shape, hold
        self.value_shape = shape if hold else (32,)

    def __len__(self) -> int:
        return -(-len(self.names) // CHUNK)

    def __getitem__(self, chunk: int) -> _Scanned:
        good, bad, greatest = [], {}, 0
        for number in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(self.names))):
            image = load(self.files, self.names[number], self.shape)
            if isinstance(image, str):
                bad[number] = image
            else:
                pixels = image.contiguous().numpy()
                greatest = max(greatest, int(pixels.max()))
                good.append(pixels if self.hold else _digest(pixels))
        return _Scanned(np.stack(good) if good else np.empty((0, *self.value_shape), np.uint8), bad, greatest)


def _digest(pixels: np.ndarray) -> np.ndarray:
    return np.frombuffer(hashlib.sha256(pixels.tobytes()).digest(), np.uint8)


def _scan(files: Files, names: Sequence[str], shape: Shape, hold: bool) -> _Scanned:
    """Return the good files' images (n, C, H, W) or digests (n, 32), and why the others are bad."""
    scan = _Scan(files, names, shape, hold)
    loader = DataLoader(
        scan,
        batch_size=None,
        num_workers=min(8, _processors(), len(scan) // 16),  # few files are read before a worker has started
        collate_fn=_as_it_is,
        generator=torch.Generator(),
    )
    values, count, bad, greatest = np.empty((len(names), *scan.value_shape), np.uint8), 0, {}, 0
    for part in loader:
        values[count : count + len(part.values)] = part.values
        count += len(part.values)
        bad.update(part.bad)
        greatest = max(greatest, part.greatest)
    return _Scanned(values[:count], bad, greatest)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _as_it_is(scanned: Any) -> Any:
    return scanned


# -- what is remembered of streamed sets ----------------------------------------------------------


def _key(files: Files, names: Sequence[str], shape: Shape) -> dict[str, Any]:
    """Return all that the digests of images depend on."""
    stamps = json.dumps([files.stamp(name) for name in names]).encode()
    return {
        "path": str(files.path.resolve()),
        "files": hashlib.sha256(stamps).hexdigest(),
        "shape": shape,
        "versions": [RULES, PIL.__version__, torch.__version__],
    }


def _remembered(files: Files, names: Sequence[str], shape: Shape, key: dict[str, Any]) -> _Scanned:
    """Return the digests of the good files and what is wrong with the bad, from the cache if they are there.

    A large set takes minutes to read through; a sweep should do that once.
    """

    def scan() -> dict[str, Tensor]:
        digests, bad, greatest = _scan(files, names, shape, hold=False)
        text = json.dumps(bad).encode()
        return {
            "digests": torch.from_numpy(digests),
            "bad": torch.frombuffer(bytearray(text), dtype=torch.uint8),
            "greatest": torch.tensor(greatest),
        }

    found = Cache().get(KIND, key, scan)
    bad = json.loads(found["bad"].numpy().tobytes())
    return _Scanned(found["digests"].numpy(), {int(number): why for number, why in bad.items()}, int(found["greatest"]))


def _forget(key: dict[str, Any]) -> None:
    Cache().drop(KIND, key)
