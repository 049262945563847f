"""Reading image files once, in several processes, and remembering what was found."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import PIL
import torch
from PIL import UnidentifiedImageError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gan_framework.api import FORMATS, Cache, decode, fit, holds_several
from gan_zoo.datasets.files import Files

CHUNK = 128
"""Files that one process checks at a time."""

KIND = "scans"
"""The kind of entries in the cache."""

RULES = 2
"""To be raised when files become other pixels, or others are bad, than before: what is remembered is then read anew."""

Shape = tuple[int, int, int]


def load(files: Files, name: str, shape: Shape) -> Tensor | str:
    """Return an image (C, H, W) uint8, or why it cannot be read."""
    return _load(files, name, shape, count=False)[0]


def _load(files: Files, name: str, shape: Shape, count: bool) -> tuple[Tensor | str, bool]:
    """Return the same, and, if that is to be counted, whether the file holds further images."""
    try:
        content = files.read(name)
        return fit(decode(content)[None], shape[1], shape[0])[0], count and holds_several(content)
    except UnidentifiedImageError:
        return f"{name}: no {', '.join(FORMATS)} image", False
    except Exception as error:  # a damaged file can make a decoder raise anything
        return f"{name}: {type(error).__name__}: {error}", False


class Scanned(NamedTuple):
    """What was found in image files.

    Attributes:
        values: of the good files the images (n, C, H, W) uint8, or their digests (n, 32) uint8.
        bad: why the others cannot be used, by the file's number.
        greatest: the greatest value of all pixels.
        several: how many files hold more than one image, of which the first is used.
    """

    # Not a tensor: those go from a worker to its parent by shared memory, of which containers have little.
    values: np.ndarray
    bad: dict[int, str]
    greatest: int
    several: int


class _Scan(Dataset[Scanned]):
    """Reads a chunk of files at a time, in a worker or in this process."""

    def __init__(self, files: Files, names: Sequence[str], shape: Shape, hold: bool) -> None:
        self.files, self.names, self.shape, self.hold = files, names, shape, hold
        self.value_shape = shape if hold else (32,)

    def __len__(self) -> int:
        return -(-len(self.names) // CHUNK)

    def __getitem__(self, chunk: int) -> Scanned:
        good, bad, greatest, several = [], {}, 0, 0
        for number in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(self.names))):
            image, more = _load(self.files, self.names[number], self.shape, count=True)
            several += more
            if isinstance(image, str):
                bad[number] = image
            else:
                pixels = image.contiguous().numpy()
                greatest = max(greatest, int(pixels.max()))
                good.append(pixels if self.hold else digest(pixels))
        return Scanned(np.stack(good) if good else np.empty((0, *self.value_shape), np.uint8), bad, greatest, several)


def digest(pixels: np.ndarray) -> np.ndarray:
    """Return the SHA-256 of an image (C, H, W), (32,) uint8."""
    return np.frombuffer(hashlib.sha256(pixels.tobytes()).digest(), np.uint8)


def scan(files: Files, names: Sequence[str], shape: Shape, hold: bool) -> Scanned:
    """Return the good files' images (n, C, H, W) or digests (n, 32), and why the others are bad."""
    reader = _Scan(files, names, shape, hold)
    loader = DataLoader(
        reader,
        batch_size=None,
        num_workers=min(8, _processors(), len(reader) // 16),  # few files are read before a worker has started
        collate_fn=_as_it_is,
        generator=torch.Generator(),
    )
    values, count, bad, greatest, several = np.empty((len(names), *reader.value_shape), np.uint8), 0, {}, 0, 0
    for part in loader:
        values[count : count + len(part.values)] = part.values
        count += len(part.values)
        bad.update(part.bad)
        greatest, several = max(greatest, part.greatest), several + part.several
    return Scanned(values[:count], bad, greatest, several)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _as_it_is(scanned: Any) -> Any:
    return scanned


# -- what is remembered of streamed sets ----------------------------------------------------------


def key_of(files: Files, names: Sequence[str], shape: Shape) -> dict[str, Any]:
    """Return all that the digests of images depend on."""
    stamps = json.dumps([files.stamp(name) for name in names]).encode()
    return {
        "path": str(files.path.resolve()),
        "files": hashlib.sha256(stamps).hexdigest(),
        "shape": shape,
        "versions": [RULES, PIL.__version__, torch.__version__],
    }


def remembered(files: Files, names: Sequence[str], shape: Shape, key: dict[str, Any]) -> Scanned:
    """Return the digests of the good files and what is wrong with the bad, from the cache if they are there.

    A large set takes minutes to read through; a sweep should do that once.
    """

    def compute() -> dict[str, Tensor]:
        digests, bad, *counts = scan(files, names, shape, hold=False)
        text = json.dumps(bad).encode()
        return {
            "digests": torch.from_numpy(digests),
            "bad": torch.frombuffer(bytearray(text), dtype=torch.uint8),
            "counts": torch.tensor(counts),
        }

    def fits(found: dict[str, Tensor]) -> bool:
        digests, counts, bad = found["digests"], found["counts"], _bad(found)
        return (
            digests.dtype == torch.uint8
            and digests.shape == (len(names) - len(bad), 32)
            and counts.shape == (2,)
            and not counts.is_floating_point()
            and all(0 <= number < len(names) and isinstance(why, str) for number, why in bad.items())
        )

    found = Cache().get(KIND, key, compute, fits)
    return Scanned(found["digests"].numpy(), _bad(found), *found["counts"].tolist())


def _bad(found: dict[str, Tensor]) -> dict[int, str]:
    return {int(number): why for number, why in json.loads(found["bad"].numpy().tobytes()).items()}


def forget(key: dict[str, Any]) -> None:
    """Have what is remembered under a key be read anew the next time."""
    Cache().drop(KIND, key)
