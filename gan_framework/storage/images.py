"""From the framework's images to the ones a file holds."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from gan_framework.storage import files


def to_uint8(images: Tensor) -> Tensor:
    """Quantise images in [-1, 1] to uint8: the nearest of the 256 levels.

    Saved as a PNG and read back, the images are the same bytes, so a score of them in memory and a
    score of the saved files agree. Values outside [-1, 1] are clamped; halves go to the even level.
    """
    return ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def save_png(path: Path, image: Tensor) -> None:
    """Write an image (3, H, W) or (1, H, W), uint8, as a PNG."""
    from PIL import Image

    pixels = image.permute(1, 2, 0).squeeze(2).contiguous().numpy()
    with files.atomic(path) as file:
        Image.fromarray(pixels).save(file, format="PNG")
