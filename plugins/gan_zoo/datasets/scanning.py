"""Reading image files once, in several processes, and remembering what was found."""

from __future__ import annotations

import hashlib
import json
import math
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

KEPT = 2**30
"""Bytes of images up to which those of a set are kept in the cache."""

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
        values: of the good files the images (n, H, W, C) uint8, or their digests (n, 32) uint8.
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
        self.value_shape = _held_shape(shape) if hold else (32,)

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
                good.append(pixels.transpose(1, 2, 0) if self.hold else digest(pixels))
        return Scanned(np.stack(good) if good else np.empty((0, *self.value_shape), np.uint8), bad, greatest, several)


def _held_shape(shape: Shape) -> Shape:
    """Return the shape of an image as data in memory are laid out, so that it is not copied again."""
    return shape[1], shape[2], shape[0]


def digest(pixels: np.ndarray) -> np.ndarray:
    """Return the SHA-256 of an image (C, H, W), (32,) uint8."""
    return np.frombuffer(hashlib.sha256(pixels.tobytes()).digest(), np.uint8)


def scan(files: Files, names: Sequence[str], shape: Shape, hold: bool) -> Scanned:
    """Return the good files' images (n, H, W, C) or digests (n, 32), and why the others are bad."""
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


# -- what is remembered ---------------------------------------------------------------------------


def key_of(files: Files, names: Sequence[str], shape: Shape) -> dict[str, Any]:
    """Return all that the digests of images depend on."""
    return {**_place(files, shape), "files": _stamps(files, names)}


def _place(files: Files, shape: Shape) -> dict[str, Any]:
    versions = [RULES, PIL.__version__, torch.__version__]
    return {"path": str(files.path.resolve()), "shape": shape, "versions": versions}


def _stamps(files: Files, names: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps([files.stamp(name) for name in names]).encode()).hexdigest()


def remembered(files: Files, names: Sequence[str], shape: Shape, key: dict[str, Any]) -> Scanned:
    """Return the digests of the good files and what is wrong with the bad, from the cache if they are there.

    A large set takes minutes to read through; a sweep should do that once.
    """
    found = Cache().get(
        KIND,
        key,
        lambda: _entry("digests", scan(files, names, shape, hold=False)),
        lambda found: _fits(found, "digests", len(names), (32,)),
    )
    return _scanned("digests", found)


def held(files: Files, names: Sequence[str], shape: Shape) -> Scanned:
    """Return the images of the good files and what is wrong with the bad, from the cache if they are there.

    There is one entry for each place and shape: of a folder that grows, the cache keeps the images once. Sets of more
    than `KEPT` bytes are read anew each time.
    """
    if len(names) * math.prod(shape) > KEPT:
        return scan(files, names, shape, hold=True)
    stamps = torch.frombuffer(bytearray.fromhex(_stamps(files, names)), dtype=torch.uint8)
    cache, key = Cache(), {**_place(files, shape), "held": True}

    def are_of_these(found: dict[str, Tensor]) -> bool:
        return torch.equal(found["files"], stamps)

    def get() -> dict[str, Tensor]:
        return cache.get(
            KIND,
            key,
            lambda: {**_entry("pixels", scan(files, names, shape, hold=True)), "files": stamps},
            lambda found: not are_of_these(found) or _fits(found, "pixels", len(names), _held_shape(shape)),
        )

    found = get()
    if not are_of_these(found):
        del found
        cache.drop(KIND, key)
        found = get()
    return _scanned("pixels", found)


def _entry(kind: str, scanned: Scanned) -> dict[str, Tensor]:
    values, bad, *counts = scanned
    text = bytearray(json.dumps(bad).encode())
    return {
        kind: torch.from_numpy(values),
        "bad": torch.frombuffer(text, dtype=torch.uint8),
        "counts": torch.tensor(counts),
    }


def _fits(found: dict[str, Tensor], kind: str, files: int, shape: tuple[int, ...]) -> bool:
    """Return whether an entry is one of so many files."""
    values, counts, bad = found[kind], found["counts"], _bad(found)
    return (
        values.dtype == torch.uint8
        and values.shape == (files - len(bad), *shape)
        and counts.shape == (2,)
        and not counts.is_floating_point()
        and all(0 <= number < files and isinstance(why, str) for number, why in bad.items())
    )


def _scanned(kind: str, found: dict[str, Tensor]) -> Scanned:
    return Scanned(found[kind].numpy(), _bad(found), *found["counts"].tolist())


def _bad(found: dict[str, Tensor]) -> dict[int, str]:
    return {int(number): why for number, why in json.loads(found["bad"].numpy().tobytes()).items()}


def forget(key: dict[str, Any]) -> None:
    """Have what is remembered under a key be read anew the next time."""
    Cache().drop(KIND, key)
