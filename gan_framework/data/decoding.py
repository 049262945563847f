"""From an image file to pixels."""

from __future__ import annotations

import io
from typing import IO

import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin
from torch import Tensor

from gan_framework.data import plain_png
from gan_framework.data.heads import refuse_long_gif, refuse_long_jpeg, refuse_long_png, refuse_long_ppm

MAX_BYTES = 256 * 2**20
"""A single image file larger than this is not read."""

SMALL = 2**16
"""Bytes that most image files have at most."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM")

JPEG = b"\xff\xd8"
"""What files in the format begin with."""

PNG = b"\x89PNG\r\n\x1a\n"
"""What files in the format begin with."""

ANIMATED = b"acTL"
"""The name of a part that an animation in PNG has."""

FULL_RANGE = ("PNG", "PPM")
"""Formats whose pixels of more than 8 bits Pillow brings to 0 to 65535, in mode `I` too."""

LONG = {JPEG: refuse_long_jpeg, PNG: refuse_long_png, b"GIF8": refuse_long_gif, b"P": refuse_long_ppm}
"""By what files begin with, what refuses those that Pillow would read for minutes."""

WHITE_IS_ZERO = 0
"""A photometric interpretation of TIFF."""

LYING = (5, 6, 7, 8)
"""The orientations in EXIF of images whose width is the height of what is stored."""

MAX_PIXELS = 2**26
"""An image of more pixels is refused before it is decoded."""


def read_limited(file: IO[bytes]) -> bytes:
    """Return the content of an open image file.

    Raises:
        ValueError: it is too large to be an image.
    """
    content = file.read(SMALL)
    if len(content) == SMALL:  # room for the limit is not taken for each of many small files
        content += file.read(MAX_BYTES + 1 - SMALL)
    if len(content) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES:,} bytes")
    return content


def holds_several(content: bytes) -> bool:
    """Return whether an image file that can be decoded has further pages or frames, which are not.

    The further images in a JPEG file are previews and the like, and are not meant.
    """
    # A PNG file that is no animation is not opened a second time: folders may have hundreds of thousands.
    if content.startswith(JPEG) or (content.startswith(PNG) and ANIMATED not in content):
        return False
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        return bool(getattr(opened, "is_animated", False))


def decode(content: bytes) -> Tensor:
    """Return the pixels (1 or 3, H, W) uint8 of an image file, upright, on white where it is transparent.

    Raises:
        Exception: whatever Pillow raises for a file that it cannot decode.
    """
    usual = plain_png.decode(content, MAX_PIXELS)
    if usual is not None:
        pixels = torch.from_numpy(usual)
        return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    _reaches_pixels(content)
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        _check_pixels(opened)
        if opened.mode == "I" and opened.format not in FULL_RANGE:
            raise ValueError("its pixels are 32-bit whole numbers, whose range is unknown: save them with 8 or 16 bits")
        if opened.mode == "F":
            raise ValueError("its pixels are floating-point numbers, whose range is unknown")
        opened.load()  # which may tell more of an image than its head
        # Pillow would copy an image that stands upright.
        upright = opened.getexif().get(ExifTags.Base.Orientation, 1) == 1
        image: Image.Image = opened if upright else ImageOps.exif_transpose(opened)
        is_grey = _is_grey(image)
        if image.mode.startswith("I"):
            return torch.from_numpy(_from_16_bits(np.asarray(image), *_scale(opened)))[None]
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = image.convert("L" if is_grey else "RGB")
        pixels = torch.from_numpy(np.array(image))
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)


def measure(file: IO[bytes]) -> tuple[int, int, int]:
    """Return the shape (1 or 3, H, W) of what `decode` makes of an open image file, of which the head is read.

    Raises:
        Exception: whatever Pillow raises for a file that it cannot open.
    """
    content = file.read(plain_png.MEASURED)
    usual = plain_png.shape(content)
    if usual is not None and 0 < usual[1] * usual[2] <= MAX_PIXELS:
        return usual
    content += file.read(SMALL)
    if not _reaches_pixels(content):
        file.seek(0)
        _reaches_pixels(read_limited(file))
    file.seek(0)
    with Image.open(file, formats=FORMATS) as opened:
        _check_pixels(opened)
        # Of a PNG file without its own part for it, Pillow would decode all to look for one behind the pixels.
        exif = Image.Image.getexif(opened) if opened.format == "PNG" else opened.getexif()
        lies = exif.get(ExifTags.Base.Orientation) in LYING
        height, width = (opened.width, opened.height) if lies else (opened.height, opened.width)
        return 1 if _is_grey(opened) or opened.mode.startswith("I") else 3, height, width


def _reaches_pixels(content: bytes) -> bool:
    """Return whether what is known of an image file is all that Pillow reads before its pixels.

    Raises:
        ValueError: Pillow would read it for minutes.
    """
    return next((reaches(content) for begins, reaches in LONG.items() if content.startswith(begins)), True)


def _check_pixels(opened: Image.Image) -> None:
    if opened.width * opened.height > MAX_PIXELS:
        raise ValueError(f"{opened.width}x{opened.height} pixels are more than {MAX_PIXELS:,}")


def _is_grey(image: Image.Image) -> bool:
    return image.mode in ("1", "L", "LA", "La")


def _scale(image: Image.Image) -> tuple[int, bool]:
    """Return the greatest grey level of an image of more than 8 bits, and whether it means black."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 65535, False
    # Pillow hands over 12 and 16 bits as they lie in the file, scaled neither way.
    bits = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (16,))[0]
    return 2**bits - 1, image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == WHITE_IS_ZERO


def _from_16_bits(values: np.ndarray, greatest: int, inverted: bool) -> np.ndarray:
    wide = values.astype(np.int64)
    if wide.min() < 0 or wide.max() > greatest:
        raise ValueError(f"its pixels do not lie between 0 and {greatest}")
    levels = ((wide * 255 + greatest // 2) // greatest).astype(np.uint8)
    return 255 - levels if inverted else levels
