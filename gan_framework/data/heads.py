"""What stands before the pixels of an image file: refused where reading it would take minutes."""

from __future__ import annotations

import re

MOST = 10_000
"""Parts, and bytes between them that belong to none, that a file may have; Pillow goes through them one by one."""

NO_LENGTH = frozenset([0x00, 0x01, *range(0xD0, 0xDA), *range(0xF0, 0xFE), 0xFF])
"""Second bytes of JPEG's markers that nothing of a given length follows."""

SCAN = 0xDA
"""That of the marker that the pixels follow."""

EXTENSION, IMAGE = 0x21, 0x2C
"""What parts of a GIF file begin with."""

PIXELS, END = b"IDAT", b"IEND"
"""The names of parts of a PNG file."""


def refuse_long_jpeg(content: bytes) -> bool:
    """Return whether the content of a JPEG file, of which the end may be missing, reaches to its pixels.

    Raises:
        ValueError: it has more parts before them than any real one.
    """
    place, parts = 2, 0
    while place + 4 <= len(content):
        parts += 1
        if parts > MOST:
            raise ValueError(f"more than {MOST:,} parts, or bytes between them, lie before its pixels")
        marker = content[place + 1]
        if content[place] != 0xFF or marker == 0xFF:
            place += 1
        elif marker == SCAN:
            return True
        elif marker in NO_LENGTH:
            place += 2
        else:
            place += 2 + max(2, int.from_bytes(content[place + 2 : place + 4], "big"))
    return False


def refuse_long_png(content: bytes) -> bool:
    """Return whether the content of a PNG file, of which the end may be missing, reaches to its pixels.

    Raises:
        ValueError: it has more parts beside them than any real one.
    """
    place, parts, reaches = 8, 0, False
    while place + 8 <= len(content):
        name = content[place + 4 : place + 8]
        reaches |= name == PIXELS
        if name == END:
            break
        parts += name != PIXELS
        if parts > MOST:
            raise ValueError(f"more than {MOST:,} parts lie beside its pixels")
        place += 12 + int.from_bytes(content[place : place + 4], "big")
    return reaches


def refuse_long_gif(content: bytes) -> bool:
    """Return whether the content of a GIF file, of which the end may be missing, reaches to its pixels.

    Raises:
        ValueError: it has more parts before them than any real one.
    """
    place, parts, inside = 13 + _table(content[10:11]), 0, False
    while place < len(content):
        parts += 1
        if parts > MOST:
            raise ValueError(f"more than {MOST:,} parts, or bytes between them, lie before its pixels")
        if inside:
            inside = content[place] > 0
            place += 1 + content[place]
        elif content[place] == IMAGE:
            return True
        else:
            inside = content[place] == EXTENSION
            place += 2 if inside else 1
    return False


def _table(flags: bytes) -> int:
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags and flags[0] & 128 else 0


def refuse_long_ppm(content: bytes) -> bool:
    """Return whether the numbers at the beginning of a PPM, PGM or PBM file lie where they do in any real one.

    Raises:
        ValueError: they do not.
    """
    begins = content[:MOST]
    if len(begins) == MOST and len(re.sub(rb"#[^\n\r]*", b"", begins).split(None, 3)) < 4:
        raise ValueError(f"its size does not stand in its first {MOST:,} bytes")
    return True
