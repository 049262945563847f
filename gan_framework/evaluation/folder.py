"""Images in a folder, to be scored as they are."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import torch
from PIL import UnidentifiedImageError
from torch import Tensor

from gan_framework.data.decoding import FORMATS, decode, read_limited
from gan_framework.data.image_names import SUFFIXES, describe_bad, describe_left_out, list_images
from gan_framework.data.pixels import with_channels
from gan_framework.errors import ConfigError

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
    if len(found) < 2:
        raise ConfigError(
            f"{folder} is neither a run nor a folder of at least two images: it holds {len(found)}"
            f"{' and has ' * bool(left_out)}{left_out}; images end in {' '.join(SUFFIXES)}, and hidden ones and "
            f"{PICTURES} are not counted"
        )
    return found, left_out


def _is_written(name: str, pattern: str) -> bool:
    return "/" not in name and fnmatch(name, pattern)


def read_images(paths: list[Path], shape: tuple[int, ...], batch_size: int) -> Iterator[Tensor]:
    """Yield batches (n, C, H, W) uint8.

    Args:
        paths: the files.
        shape: what every image must be, (C, H, W), C being 1 or 3.
        batch_size: images at a time.

    Raises:
        ConfigError: a file is no image, or of another size. It is not resized: that would change the scores.
    """
    for start in range(0, len(paths), batch_size):
        yield torch.stack([_read(path, shape) for path in paths[start : start + batch_size]])


def _read(path: Path, shape: tuple[int, ...]) -> Tensor:
    channels, height, width = shape
    pixels = _decoded(path)
    if pixels.shape[1:] != (height, width):
        raise ConfigError(
            f"{path} is {pixels.shape[1]}x{pixels.shape[2]}, and the images of the dataset are {height}x{width}; "
            "choose data.image_size to fit, as images are not resized before they are scored"
        )
    return with_channels(pixels[None], channels)[0]


def _decoded(path: Path) -> Tensor:
    if path.exists() and not path.is_file():  # to open a named pipe could take for ever
        raise ConfigError(f"{path} cannot be read as an image: it is no file")
    try:
        with open(path, "rb") as file:
            return decode(read_limited(file))
    except UnidentifiedImageError as error:
        raise ConfigError(f"{path} cannot be read as an image: it is no {', '.join(FORMATS)}") from error
    except Exception as error:  # a damaged file can make a decoder raise anything
        raise ConfigError(f"{path} cannot be read as an image: {type(error).__name__}: {error}") from error
