"""Reading image files once, in several processes, and remembering what was found."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import PIL
import torch
from PIL import UnidentifiedImageError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gan_framework.api import FORMATS, Cache, Fit, decode, holds_several, measure
from gan_zoo.datasets.files import Files

CHUNK = 128
"""Files that one process checks at a time."""

KIND = "scans"
"""The kind of entries in the cache."""

KEPT = 2**30
"""Bytes of images up to which those of a set are kept in the cache."""

RULES = 5
"""To be raised when files become other pixels, or others are bad, than before: what is remembered is then read anew."""

Shape = tuple[int, int, int]

T = TypeVar("T")


def load(files: Files, name: str, fit: Fit) -> Tensor | str:
    """Return an image (C, H, W) uint8, or why it cannot be read."""
    image = _read(name, lambda of: decode(files.read(of)))
    return image if isinstance(image, str) else fit(image[None])[0]


def _read(name: str, read: Callable[[str], T]) -> T | str:
    """Return what is read of an image file, or why it cannot be read."""
    try:
        return read(name)
    except UnidentifiedImageError:
        return f"{name}: no {', '.join(FORMATS)} image"
    except Exception as error:  # a damaged file can make a decoder raise anything
        return f"{name}: {type(error).__name__}: {error}"


class Scanned(NamedTuple):
    """What was found in image files.

    Attributes:
        values: of the good files the images (n, H, W, C) uint8, or their digests (n, 32) uint8.
        bad: why the others cannot be used, by the file's number.
        greatest: the greatest value of all pixels.
        several: how many files hold more than one image, of which the first is used.
        shapes: how many good files there are of each shape (C, H, W), before they are brought to one.
    """

    # Not a tensor: those go from a worker to its parent by shared memory, of which containers have little.
    values: np.ndarray
    bad: dict[int, str]
    greatest: int
    several: int
    shapes: dict[Shape, int]


class _Scan(Dataset[Scanned]):
    """Reads a chunk of files at a time, in a worker or in this process."""

    def __init__(self, files: Files, names: Sequence[str], fit: Fit, hold: bool) -> None:
        self.files, self.names, self.fit, self.hold = files, names, fit, hold
        self.value_shape = _held_shape(fit.shape) if hold else (32,)
        self.unchanged = not fit.changes({fit.shape: 1})

    def __len__(self) -> int:
        return -(-len(self.names) // CHUNK)

    def __getitem__(self, chunk: int) -> Scanned:
        good, bad, greatest, several, shapes = [], {}, 0, 0, Counter[Shape]()
        for number in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(self.names))):
            read = _read(self.names[number], self._decoded)
            if isinstance(read, str):
                bad[number] = read
            else:
                image, more = read
                several += more
                shapes[image.shape[0], image.shape[1], image.shape[2]] += 1
                fitted = image if self.unchanged and image.shape == self.fit.shape else self.fit(image[None])[0]
                pixels = fitted.numpy()
                if not self.hold:
                    greatest = max(greatest, int(pixels.max()))
                good.append(pixels.transpose(1, 2, 0) if self.hold else digest(pixels))
        values = np.stack(good) if good else np.empty((0, *self.value_shape), np.uint8)
        if self.hold and len(values):
            greatest = int(values.max())
        return Scanned(values, bad, greatest, several, dict(shapes))

    def _decoded(self, name: str) -> tuple[Tensor, bool]:
        """Return an image, and whether its file holds further ones."""
        content = self.files.read(name)
        return decode(content), holds_several(content)


class _Heads(Dataset[dict[Shape, int]]):
    """Reads the heads of a chunk of files at a time."""

    def __init__(self, files: Files, names: Sequence[str]) -> None:
        self.files, self.names = files, names

    def __len__(self) -> int:
        return -(-len(self.names) // CHUNK)

    def __getitem__(self, chunk: int) -> dict[Shape, int]:
        shapes = Counter[Shape]()
        for name in self.names[chunk * CHUNK : (chunk + 1) * CHUNK]:
            shape = _read(name, self._measured)
            if not isinstance(shape, str):
                shapes[shape] += 1
        return dict(shapes)

    def _measured(self, name: str) -> Shape:
        with self.files.open(name) as file:
            return measure(file)


def _held_shape(shape: Shape) -> Shape:
    """Return the shape of an image as data in memory are laid out, so that it is not copied again."""
    return shape[1], shape[2], shape[0]


def digest(pixels: np.ndarray) -> np.ndarray:
    """Return the SHA-256 of an image (C, H, W), (32,) uint8."""
    return np.frombuffer(hashlib.sha256(pixels.tobytes()).digest(), np.uint8)


def scan(files: Files, names: Sequence[str], fit: Fit, hold: bool) -> Scanned:
    """Return the good files' images (n, H, W, C) or digests (n, 32), and why the others are bad."""
    reader = _Scan(files, names, fit, hold)
    values, count, bad, greatest, several = np.empty((len(names), *reader.value_shape), np.uint8), 0, {}, 0, 0
    shapes = Counter[Shape]()
    for part in _in_processes(reader):
        values[count : count + len(part.values)] = part.values
        count += len(part.values)
        bad.update(part.bad)
        shapes.update(part.shapes)
        greatest, several = max(greatest, part.greatest), several + part.several
    return Scanned(values[:count], bad, greatest, several, dict(shapes))


def _in_processes(reader: Any) -> DataLoader[Any]:
    """Return what reads chunk after chunk, in workers where there are many."""
    return DataLoader(
        reader,
        batch_size=None,
        num_workers=min(8, _processors(), len(reader) // 16),  # few files are read before a worker has started
        collate_fn=_as_it_is,
        generator=torch.Generator(),
    )


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _as_it_is(scanned: Any) -> Any:
    return scanned


# -- what is remembered ---------------------------------------------------------------------------


def shapes_of(files: Files) -> dict[Shape, int]:
    """Return how many images there are of each shape (C, H, W), by the heads of their files or from the cache.

    Files that cannot be opened are not counted.
    """
    key = {**_source(files), "heads": True, "files": _stamps(files, files.names)}

    def read() -> dict[str, Tensor]:
        shapes = Counter[Shape]()
        for part in _in_processes(_Heads(files, files.names)):
            shapes.update(part)
        return {"shapes": _table(shapes)}

    return _of_table(Cache().get(KIND, key, read, lambda found: _is_table(found["shapes"], len(files.names)))["shapes"])


def key_of(files: Files, names: Sequence[str], fit: Fit) -> dict[str, Any]:
    """Return all that the digests of images depend on."""
    return {**_place(files, fit), "files": _stamps(files, names)}


def _place(files: Files, fit: Fit) -> dict[str, Any]:
    return {**_source(files), "shape": fit.shape, "crop": fit.crop, "resize": fit.resize}


def _source(files: Files) -> dict[str, Any]:
    return {"path": str(files.path.resolve()), "versions": [RULES, PIL.__version__, torch.__version__]}


def _stamps(files: Files, names: Sequence[str]) -> str:
    stamps = files.stamps
    if names is not files.names:
        numbers = {name: number for number, name in enumerate(files.names)}
        stamps = stamps[[numbers[name] for name in names]]
    content = hashlib.sha256("\0".join(names).encode(errors="surrogatepass"))
    content.update(np.ascontiguousarray(stamps).data)
    return content.hexdigest()


def remembered(files: Files, names: Sequence[str], fit: Fit, key: dict[str, Any]) -> Scanned:
    """Return the digests of the good files and what is wrong with the bad, from the cache if they are there.

    A large set takes minutes to read through; a sweep should do that once.
    """
    found = Cache().get(
        KIND,
        key,
        lambda: _entry("digests", scan(files, names, fit, hold=False)),
        lambda found: _fits(found, "digests", len(names), (32,)),
    )
    return _scanned("digests", found)


def held(files: Files, names: Sequence[str], fit: Fit) -> Scanned:
    """Return the images of the good files and what is wrong with the bad, from the cache if they are there.

    There is one entry for each place and way of bringing images to one shape: of a folder that grows, the cache keeps
    the images once. Sets of more than `KEPT` bytes are read anew each time.
    """
    if len(names) * math.prod(fit.shape) > KEPT:
        return scan(files, names, fit, hold=True)
    stamps = torch.frombuffer(bytearray.fromhex(_stamps(files, names)), dtype=torch.uint8)
    cache, key = Cache(), {**_place(files, fit), "held": True}

    def are_of_these(found: dict[str, Tensor]) -> bool:
        return torch.equal(found["files"], stamps)

    def get() -> dict[str, Tensor]:
        return cache.get(
            KIND,
            key,
            lambda: {**_entry("pixels", scan(files, names, fit, hold=True)), "files": stamps},
            lambda found: not are_of_these(found) or _fits(found, "pixels", len(names), _held_shape(fit.shape)),
        )

    found = get()
    if not are_of_these(found):
        del found
        cache.drop(KIND, key)
        found = get()
    return _scanned("pixels", found)


def _entry(kind: str, scanned: Scanned) -> dict[str, Tensor]:
    values, bad, greatest, several, shapes = scanned
    text = bytearray(json.dumps(bad).encode())
    return {
        kind: torch.from_numpy(values),
        "bad": torch.frombuffer(text, dtype=torch.uint8),
        "counts": torch.tensor([greatest, several]),
        "shapes": _table(shapes),
    }


def _fits(found: dict[str, Tensor], kind: str, files: int, shape: tuple[int, ...]) -> bool:
    """Return whether an entry is one of so many files."""
    values, counts, bad = found[kind], found["counts"], _bad(found)
    return (
        values.dtype == torch.uint8
        and values.shape == (files - len(bad), *shape)
        and counts.shape == (2,)
        and not counts.is_floating_point()
        and _is_table(found["shapes"], files - len(bad))
        and int(found["shapes"][:, 3].sum()) == files - len(bad)
        and all(0 <= number < files and isinstance(why, str) for number, why in bad.items())
    )


def _scanned(kind: str, found: dict[str, Tensor]) -> Scanned:
    greatest, several = found["counts"].tolist()
    return Scanned(found[kind].numpy(), _bad(found), greatest, several, _of_table(found["shapes"]))


def _table(shapes: Mapping[Shape, int]) -> Tensor:
    """Return how many images there are of each shape as a table (n, 4)."""
    rows = [[*shape, count] for shape, count in shapes.items()]
    return torch.tensor(rows, dtype=torch.int64).view(-1, 4)


def _of_table(table: Tensor) -> dict[Shape, int]:
    return {(row[0], row[1], row[2]): row[3] for row in table.tolist()}


def _is_table(table: Tensor, most: int) -> bool:
    """Return whether a table is one of at most so many images."""
    return (
        table.dtype == torch.int64
        and table.ndim == 2
        and table.shape[1] == 4
        and bool((table > 0).all())
        and int(table[:, 3].sum()) <= most
    )


def _bad(found: dict[str, Tensor]) -> dict[int, str]:
    return {int(number): why for number, why in json.loads(found["bad"].numpy().tobytes()).items()}


def forget(key: dict[str, Any]) -> None:
    """Have what is remembered under a key be read anew the next time."""
    Cache().drop(KIND, key)
