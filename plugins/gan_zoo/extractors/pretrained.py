"""What extractors with downloaded weights share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gan_framework.api import ConfigError, RunFailed

TENSORFLOW = "bilinear as in TensorFlow 1"

RESIZES = {"bicubic": "bicubic, antialiased as by Pillow", "tensorflow": TENSORFLOW}
"""The ways in which images are brought to a network's size, and what the protocol calls them."""


def known_resize(resize: str | None) -> str:
    """Return the name of a way of resizing; TensorFlow's for None, as configurations of version 0.1 have it.

    Raises:
        ConfigError: there is no such way.
    """
    if resize is None:
        return "tensorflow"
    if resize not in RESIZES:
        raise ConfigError(f"extractor.resize={resize}: choose one of {', '.join(RESIZES)}")
    return resize


def resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Return images (N, 3, H, W) uint8 at another size, by Pillow's bicubic filter."""
    if images.shape[2:] == size:
        return images
    # torch's antialiased bicubic differs by some grey levels, as it rounds otherwise between its two passes.
    shown = (Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()) for image in images.cpu())
    found = [np.asarray(image.resize(size[::-1], Image.Resampling.BICUBIC)) for image in shown]
    return torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2).to(images.device)


UNREADABLE = (AttributeError, EOFError, IndexError, UnpicklingError)
"""What reading a file raises that holds no tensors, beside what says so itself."""

SETTING = "extractor.weights"
"""The setting that names a file of an extractor's weights."""

INSTEAD = (
    "extractor=classifier (for data with classes) and extractor=raw (pixels, with 'metrics=[fid]', psnr or ssim) need "
    "no download"
)


def known_file(weights: Path | None, setting: str = SETTING) -> str | None:
    """Return the path of a weights file, or None for a download.

    Args:
        weights: the path.
        setting: what messages call the setting that names it.

    Raises:
        ConfigError: there is no such file.
    """
    if weights is not None and not Path(weights).is_file():
        raise ConfigError(f"{setting}={weights}: there is no such file")
    return None if weights is None else str(weights)


@contextmanager
def loading(
    weights: str | None, url: str, remedy: str, setting: str = SETTING, instead: str = INSTEAD
) -> Iterator[None]:
    """Explain what goes wrong while weights are downloaded or read.

    Args:
        weights: the file, or None for a download.
        url: where they are downloaded from.
        remedy: what to do where that is not possible.
        setting: what messages call the setting that names the file.
        instead: what needs no download.

    Raises:
        RunFailed: the download failed.
        ConfigError: the file holds something else.
    """
    try:
        yield
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, *UNREADABLE) as error:
        reason = " ".join(str(error).split())[:200]
        if weights is not None:
            raise ConfigError(f"{setting}={weights} is not a file of such weights: {reason}") from error
        raise RunFailed(f"the weights cannot be downloaded from {url} ({reason}). {remedy}; {instead}") from error


def checkpoints_folder() -> str:
    """Return the folder in which torch looks for downloaded weights."""
    return f"{torch.hub.get_dir()}/checkpoints"


def refuse_code(weights: str | None) -> None:
    """Raise UnpicklingError if a weights file holds more than tensors: unpickling such a file runs its code."""
    if weights is not None:
        torch.load(weights, map_location="cpu", weights_only=True)
