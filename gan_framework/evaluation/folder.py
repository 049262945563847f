"""Images in a folder, to be scored as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, TypeVar

import torch
from PIL import UnidentifiedImageError
from torch import Tensor

from gan_framework.data.decoding import FORMATS, decode, measure, read_limited
from gan_framework.data.image_names import SUFFIXES, describe_bad, describe_left_out, list_images
from gan_framework.data.pixels import Fit, Shape, with_channels
from gan_framework.errors import ConfigError
from gan_framework.storage import no_run

T = TypeVar("T")

LOSSY = {".jpg", ".jpeg", ".jpe", ".jfif", ".webp"}

PICTURES = "evaluation_*.png"
"""Files directly in the folder that are no images of it: pictures that an earlier scoring wrote there."""

SCORES = "evaluation*.json"
"""Scores of an earlier time, beside them."""


def image_files(folder: Path) -> list[Path]:
    """Return the image files in a folder and its subfolders, the same as the data set `folder` reads, sorted.

    Raises:
        ConfigError: there are fewer than two, or there is what cannot be followed.
    """
    return find_images(folder)[0]


def find_images(folder: Path) -> tuple[list[Path], str]:
    """Return the image files in a folder and its subfolders, sorted, and in words what else lies there, if anything.

    Raises:
        ConfigError: there are fewer than two images, or there is what cannot be followed, such as a link to nothing.
    """
    listing = list_images(folder)
    if listing.bad:
        raise ConfigError(
            f"{folder}: {len(listing.bad)} of its entries cannot be followed: {describe_bad(listing.bad)}. Remove or "
            "repair them: which images are meant is not known"
        )
    found = [folder / name for name in listing.images if not _is_written(name, PICTURES)]
    left_out = describe_left_out(name for name in listing.left_out if not _is_written(name, SCORES))
    if not found and no_run.owner(folder) is not None:
        raise ConfigError(no_run.said(folder))
    if len(found) < 2:
        raise ConfigError(
            f"{folder} is neither a run nor a folder of at least two images: it holds {len(found)}"
            f"{' and has ' * bool(left_out)}{left_out}; images end in {' '.join(SUFFIXES)}, and hidden ones and "
            f"{PICTURES} are not counted"
        )
    return found, left_out


def _is_written(name: str, pattern: str) -> bool:
    return "/" not in name and fnmatch(name, pattern)


def shapes_of(paths: list[Path]) -> dict[Shape, int]:
    """Return how many images there are of each shape (C, H, W), by the heads of their files.

    Raises:
        ConfigError: a file is no image.
    """
    return Counter(_opened(path, measure) for path in paths)


def are_coloured(paths: list[Path]) -> bool:
    """Return whether an image has a pixel of which red, green and blue differ: grey ones may be stored as colour too.

    Raises:
        ConfigError: a file is no image.
    """
    decoded = (_opened(path, lambda file: decode(read_limited(file))) for path in paths)
    return any(bool((pixels != pixels[:1]).any()) for pixels in decoded)


def read_images(paths: list[Path], shape: tuple[int, ...], batch_size: int, fit: Fit | None = None) -> Iterator[Tensor]:
    """Yield batches (n, C, H, W) uint8.

    Args:
        paths: the files.
        shape: what every image must be, (C, H, W), C being 1 or 3.
        batch_size: images at a time.
        fit: brings images of any size to the shape; None where they must have it, since resizing changes the scores.

    Raises:
        ConfigError: a file is no image, or of another size.
    """
    for start in range(0, len(paths), batch_size):
        yield torch.stack([_read(path, shape, fit) for path in paths[start : start + batch_size]])


def _read(path: Path, shape: tuple[int, ...], fit: Fit | None) -> Tensor:
    channels, height, width = shape
    pixels = _opened(path, lambda file: decode(read_limited(file)))
    if fit is not None:
        return fit(pixels[None])[0]
    if pixels.shape[1:] != (height, width):
        raise ConfigError(
            f"{path} is {pixels.shape[1]}x{pixels.shape[2]}, and the images of the dataset are {height}x{width}; "
            "choose data.image_size to fit, as images are not resized before they are scored unless data.crop or "
            "data.resize of the dataset is named"
        )
    return with_channels(pixels[None], channels)[0]


def _opened(path: Path, read: Callable[[IO[bytes]], T]) -> T:
    if path.exists() and not path.is_file():  # to open a named pipe could take for ever
        raise ConfigError(f"{path} cannot be read as an image: it is not a file")
    try:
        with open(path, "rb") as file:
            return read(file)
    except UnidentifiedImageError as error:
        raise ConfigError(f"{path} cannot be read as an image: it is no {', '.join(FORMATS)}") from error
    except Exception as error:  # a damaged file can make a decoder raise anything
        raise ConfigError(f"{path} cannot be read as an image: {type(error).__name__}: {error}") from error
