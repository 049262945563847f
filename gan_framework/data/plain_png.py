"""PNG files of the usual make, of which folders have hundreds of thousands: decoded and measured without ceremony.

Usual are 8 bits of grey or of red, green and blue in rows, and nothing in the file but these. Of all others, and of
damaged ones, nothing is said here: Pillow has them.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image

HEAD = struct.Struct(">8sI4sII5sI")
"""The signature and the first part of a file: its width, its height, five bytes about its pixels, its checksum."""
PART = struct.Struct(">I4s")
"""What a part begins with: its size and its name."""
MEASURED = HEAD.size + PART.size
"""Bytes by which a file is measured."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
"""The last part of a file, always the same."""
MODES = {b"\x08\x00\x00\x00\x00": ("L", 1), b"\x08\x02\x00\x00\x00": ("RGB", 3)}
"""By the five bytes about pixels the mode, as Pillow calls it, and the number of channels."""


def shape(head: bytes) -> tuple[int, int, int] | None:
    """Return the shape (C, H, W) that the first `MEASURED` bytes of a usual file say; None for another."""
    found = _head(head)
    # Where pixels do not follow at once, a part before them may say that the image lies on its side.
    return None if found is None or head[HEAD.size + 4 : MEASURED] != b"IDAT" else (found[1], found[3], found[2])


def decode(content: bytes, most: int) -> np.ndarray | None:
    """Return the pixels (H, W) or (H, W, 3) uint8 of a usual file; None for another, or a damaged one.

    Args:
        content: the file.
        most: pixels that it may have.
    """
    found = _head(content)
    if found is None or not content.endswith(END) or not 0 < found[2] * found[3] <= most:
        return None
    mode, channels, width, height = found
    packed = _pixels(content)
    if packed is None:
        return None
    try:
        image = Image.frombytes(mode, (width, height), packed, "zip", mode)
    except (ValueError, OSError):
        return None
    size = (height, width) if channels == 1 else (height, width, channels)
    return np.frombuffer(bytearray(image.tobytes()), np.uint8).reshape(size)


def _head(content: bytes) -> tuple[str, int, int, int] | None:
    """Return the mode, the channels, the width and the height; None where the file is no usual one."""
    if len(content) < MEASURED:
        return None
    signature, size, name, width, height, pixels, checksum = HEAD.unpack_from(content)
    if signature != SIGNATURE or size != 13 or name != b"IHDR" or pixels not in MODES:
        return None
    return (*MODES[pixels], width, height) if zlib.crc32(content[12:29]) == checksum else None


def _pixels(content: bytes) -> bytes | None:
    """Return the packed pixels; None where there is more in the file, or a checksum is wrong."""
    found, at, last = [], HEAD.size, len(content) - len(END)
    while at < last:
        size, name = PART.unpack_from(content, at)
        begin, end = at + 8, at + 8 + size
        if name != b"IDAT" or end + 4 > last:
            return None
        found.append(content[begin:end])
        if zlib.crc32(content[at + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            return None
        at = end + 4
    return b"".join(found) if at == last and found else None
