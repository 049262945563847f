"""From an image file to pixels."""

from __future__ import annotations

import io
from typing import IO

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

MAX_BYTES = 256 * 2**20
"""A single image file larger than this is not read."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")

MAX_PIXELS = 2**26
"""An image of more pixels is refused before it is decoded."""


def read_limited(file: IO[bytes]) -> bytes:
    """Return the content of an open image file.

    Raises:
        ValueError: it is too large to be an image.
    """
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES:,} bytes")
    return content


def decode(content: bytes) -> Tensor:
    """Return the pixels (1 or 3, H, W) uint8 of an image file, upright, on white where it is transparent.

    Raises:
        Exception: whatever Pillow raises for a file that it cannot decode.
    """
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise ValueError(f"{opened.width}x{opened.height} pixels are more than {MAX_PIXELS:,}")
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I"):
            return torch.from_numpy(_from_16_bits(np.asarray(image)))[None]
        if image.mode == "F":
            raise ValueError("its pixels are floating-point numbers, whose range is unknown")
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = image.convert("L" if image.mode in ("1", "L") else "RGB")
        pixels = torch.from_numpy(np.array(image))
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)


def _from_16_bits(values: np.ndarray) -> np.ndarray:
    wide = values.astype(np.int64)
    if wide.min() < 0 or wide.max() > 65535:
        raise ValueError("its pixels do not fit in 16 bits")
    return ((wide * 255 + 32767) // 65535).astype(np.uint8)
