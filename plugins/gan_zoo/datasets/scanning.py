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

RULES = 6
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
        values: of the good files the images (n, H, W, C) uint8, or their digests.
        digests: the SHA-256 (n, 32) uint8 of those images, as `digest` computes it.
        bad: why the others cannot be used, by the file's number.
        greatest: the greatest value of all pixels.
        several: how many files hold more than one image, of which the first is used.
        shapes: how many good files there are of each shape (C, H, W), before they are brought to one.
    """

    # Not a tensor: those go from a worker to its parent by shared memory, of which containers have little.
    values: np.ndarray
    digests: np.ndarray
    bad: dict[int, str]
    greatest: int
    several: int
    shapes: dict[Shape, int]


class _Scan(Dataset[Scanned]):
    """Reads a chunk of files at a time, in a worker or in this process."""

    def __init__(self, files: Files, names: Sequence[str], fit: Fit, hold: bool) -> None:
        self.files, self.names, self.fit, self.hold = files, names, fit, hold
        self.value_shape = _held_shape(fit.shape)
        self.unchanged = not fit.changes({fit.shape: 1})

    def __len__(self) -> int:
        return -(-len(self.names) // CHUNK)

    def __getitem__(self, chunk: int) -> Scanned:
        good, digests, bad, greatest, several, shapes = [], [], {}, 0, 0, Counter[Shape]()
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
                else:
                    good.append(pixels.transpose(1, 2, 0))
                digests.append(digest(pixels))
        found = np.stack(digests) if digests else np.empty((0, 32), np.uint8)
        values = np.stack(good) if good else np.empty((0, *self.value_shape), np.uint8) if self.hold else found
        if self.hold and len(values):
            greatest = int(values.max())
        return Scanned(values, found, bad, greatest, several, dict(shapes))

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
    digests, count, bad, greatest, several = np.empty((len(names), 32), np.uint8), 0, {}, 0, 0
    values = np.empty((len(names), *reader.value_shape), np.uint8) if hold else digests
    shapes = Counter[Shape]()
    for part in _in_processes(reader):
        after = count + len(part.digests)
        digests[count:after] = part.digests
        if hold:
            values[count:after] = part.values
        count = after
        bad.update(part.bad)
        shapes.update(part.shapes)
        greatest, several = max(greatest, part.greatest), several + part.several
    digests = digests[:count]
    return Scanned(values[:count] if hold else digests, digests, bad, greatest, several, dict(shapes))


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
    key = {**_source(files), "heads": True, "files": _stamps(files)}

    def read() -> dict[str, Tensor]:
        shapes = Counter[Shape]()
        for part in _in_processes(_Heads(files, files.names)):
            shapes.update(part)
        return {"shapes": _table(shapes)}

    return _of_table(Cache().get(KIND, key, read, lambda found: _is_table(found["shapes"], len(files.names)))["shapes"])


def key_of(files: Files, numbers: Tensor, fit: Fit) -> dict[str, Any]:
    """Return all that the digests of the images of some files depend on."""
    return {**_place(files, fit), "files": _stamps(files, numbers)}


def _place(files: Files, fit: Fit) -> dict[str, Any]:
    return {**_source(files), "shape": fit.shape, "crop": fit.crop, "resize": fit.resize}


def _source(files: Files) -> dict[str, Any]:
    return {"path": str(files.path.resolve()), "versions": [RULES, PIL.__version__, torch.__version__]}


def _stamps(files: Files, numbers: Tensor | None = None) -> str:
    """Return a hash of the names and the stamps of some files, or of all."""
    names, stamps = files.names, files.stamps
    if numbers is not None:
        names, stamps = named(files, numbers), stamps[numbers.numpy()]
    content = hashlib.sha256("\0".join(names).encode(errors="surrogatepass"))
    content.update(np.ascontiguousarray(stamps).data)
    return content.hexdigest()


def named(files: Files, numbers: Tensor) -> tuple[str, ...]:
    """Return the names of the files of some numbers (n,) int64."""
    return tuple([files.names[number] for number in numbers.tolist()])


def remembered(files: Files, numbers: Tensor, fit: Fit, key: dict[str, Any]) -> Scanned:
    """Return the digests of the good ones of some files and what is wrong with the bad, from the cache if it has them.

    A large set takes minutes to read through; a sweep should do that once.
    """
    found = Cache().get(
        KIND,
        key,
        lambda: _entry(scan(files, named(files, numbers), fit, hold=False)),
        lambda found: _fits(found, len(numbers)),
    )
    return _scanned(found)


def held(files: Files, numbers: Tensor, fit: Fit) -> Scanned:
    """Return the images of the good ones of some files and what is wrong with the bad, from the cache if it has them.

    There is one entry for each place and way of bringing images to one shape: of a folder that grows, the cache keeps
    the images once. Sets of more than `KEPT` bytes are read anew each time.
    """
    if len(numbers) * math.prod(fit.shape) > KEPT:
        return scan(files, named(files, numbers), fit, hold=True)
    stamps = torch.frombuffer(bytearray.fromhex(_stamps(files, numbers)), dtype=torch.uint8)
    cache, key = Cache(), {**_place(files, fit), "held": True}

    def are_of_these(found: dict[str, Tensor]) -> bool:
        return torch.equal(found["files"], stamps)

    def get() -> dict[str, Tensor]:
        return cache.get(
            KIND,
            key,
            lambda: {**_entry(scan(files, named(files, numbers), fit, hold=True)), "files": stamps},
            lambda found: not are_of_these(found) or _fits(found, len(numbers), _held_shape(fit.shape)),
        )

    found = get()
    if not are_of_these(found):
        del found
        cache.drop(KIND, key)
        found = get()
    return _scanned(found)


def _entry(scanned: Scanned) -> dict[str, Tensor]:
    values, digests, bad, greatest, several, shapes = scanned
    text = bytearray(json.dumps(bad).encode())
    pixels = {} if values is digests else {"pixels": torch.from_numpy(values)}
    return {
        **pixels,
        "digests": torch.from_numpy(digests),
        "bad": torch.frombuffer(text, dtype=torch.uint8),
        "counts": torch.tensor([greatest, several]),
        "shapes": _table(shapes),
    }


def _fits(found: dict[str, Tensor], files: int, shape: Shape | None = None) -> bool:
    """Return whether an entry is one of so many files, and holds their images where they have a shape."""
    counts, bad = found["counts"], _bad(found)
    wanted: dict[str, tuple[int, ...]] = {"digests": (32,), **({} if shape is None else {"pixels": shape})}
    return (
        all(found[name].dtype == torch.uint8 for name in wanted)
        and all(found[name].shape == (files - len(bad), *its) for name, its in wanted.items())
        and counts.shape == (2,)
        and not counts.is_floating_point()
        and _is_table(found["shapes"], files - len(bad))
        and int(found["shapes"][:, 3].sum()) == files - len(bad)
        and all(0 <= number < files and isinstance(why, str) for number, why in bad.items())
    )


def _scanned(found: dict[str, Tensor]) -> Scanned:
    greatest, several = found["counts"].tolist()
    digests = found["digests"].numpy()
    values = found["pixels"].numpy() if "pixels" in found else digests
    return Scanned(values, digests, _bad(found), greatest, several, _of_table(found["shapes"]))


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
