"""Images in a folder, to be scored as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan_framework.errors import ConfigError

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}
LOSSY = {".jpg", ".jpeg", ".webp"}


def image_files(folder: Path) -> list[Path]:
    """Return the image files in a folder and its subfolders, sorted.

    Raises:
        ConfigError: there are fewer than two.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if len(found) < 2:
        raise ConfigError(f"{folder} is neither a run nor a folder of images: it holds {len(found)} images")
    return found


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
    from PIL import Image, UnidentifiedImageError

    channels, height, width = shape
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert({1: "L", 3: "RGB"}[channels]))
    except (UnidentifiedImageError, OSError) as error:
        raise ConfigError(f"{path} cannot be read as an image: {error}") from error
    if pixels.shape[:2] != (height, width):
        found = f"{pixels.shape[0]}x{pixels.shape[1]}"
        raise ConfigError(
            f"{path} is {found}, and the images of the dataset are {height}x{width}; "
            "choose data.image_size to fit, as images are not resized before they are scored"
        )
    return torch.from_numpy(pixels.copy()).reshape(height, width, channels).permute(2, 0, 1)
