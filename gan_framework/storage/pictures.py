"""Pictures of samples of any shape, and how they are written."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from gan_framework.storage.images import save_png, to_uint8


def grid(images: Tensor, columns: int) -> Tensor:
    """Return images (N, 1 or 3, H, W) in [-1, 1] side by side, row by row, as one (3, H', W'), uint8."""
    from torchvision.utils import make_grid

    joined: Tensor = make_grid(to_uint8(images.cpu()), nrow=columns, padding=2, pad_value=128)
    return joined


def rows(vectors: Tensor) -> Tensor:
    """Return vectors (N, D) as one picture (1, H, W), uint8, a row for each; grey is 0, white the largest absolute."""
    vectors = vectors.flatten(1).cpu()
    shades = to_uint8(vectors / vectors.abs().max().clamp(min=1e-12))
    return shades.repeat_interleave(4, 0).repeat_interleave(4, 1)[None]


def draw(samples: Tensor, columns: int) -> Tensor:
    """Return a picture (1 or 3, H, W), uint8, of samples (N, ...) as their shape suggests."""
    return grid(samples, columns) if samples.ndim == 4 else rows(samples)


def write(path: Path, picture: Tensor) -> Path:
    """Write a picture (1 or 3, H, W), uint8, as a PNG and return where."""
    save_png(path, picture)
    return path


def write_singles(folder: Path, samples: Tensor, first: int) -> None:
    """Write images (N, 1 or 3, H, W) in [-1, 1] as PNGs of their own, `000000.png` and so on."""
    for number, image in enumerate(torch.unbind(samples), first):
        save_png(folder / f"{number:06d}.png", to_uint8(image.cpu()))
