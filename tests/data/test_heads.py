"""Image files with millions of parts before their pixels are refused at once; real ones with long heads are not."""

import io
import struct
import time
import zlib

import pytest
from PIL import Image

from gan_framework.data.decoding import decode, measure

MANY = 2 * 2**20


def saved(kind, **more):
    file = io.BytesIO()
    Image.effect_noise((40, 30), 50).convert("P" if kind in ("PNG", "GIF") else "RGB").save(file, kind, **more)
    return file.getvalue()


JPEG, PNG, GIF, PPM = (saved(kind) for kind in ("JPEG", "PNG", "GIF", "PPM"))
PART = struct.pack(">I", 0) + b"prVt" + struct.pack(">I", zlib.crc32(b"prVt"))

LONG = {
    "zeros": JPEG[:2] + b"\0" * MANY + JPEG[2:],
    "fill": JPEG[:2] + b"\xff" * MANY + JPEG[2:],
    "comments": JPEG[:2] + b"\xff\xfe\0\2" * (MANY // 4) + JPEG[2:],
    "restarts": JPEG[:2] + b"\xff\xd0" * (MANY // 2) + JPEG[2:],
    "chunks": PNG[:33] + PART * (MANY // 12) + PNG[33:],
    "extensions": GIF[: 13 + 768] + b"\x21\xfe\x01x\0" * (MANY // 5) + GIF[13 + 768 :],
    "sub-blocks": GIF[: 13 + 768] + b"\x21\xfe" + b"\x01x" * (MANY // 2) + b"\0" + GIF[13 + 768 :],
    "spaces": PPM[:3] + b" " * MANY + PPM[3:],
    "remarks": PPM[:3] + b"#" * MANY + b"\n" + PPM[3:],
}


@pytest.mark.parametrize("content", LONG.values(), ids=LONG)
def test_a_head_that_would_be_read_for_minutes_is_refused(content):
    began = time.process_time()
    for read in (decode, lambda content: measure(io.BytesIO(content))):
        with pytest.raises(ValueError, match=r"10,000 (parts|bytes)"):
            read(content)
    assert time.process_time() - began < 0.2  # Pillow needs 1 s and more


def test_parts_behind_the_pixels_count_where_they_are_read():
    content = PNG[:-12] + PART * (MANY // 12) + PNG[-12:]
    assert measure(io.BytesIO(content)) == (3, 30, 40)
    with pytest.raises(ValueError, match="10,000 parts"):
        decode(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "PPM", "BMP", "TIFF", "WEBP"])
def test_images_with_long_heads_are_read(kind):
    more = {"icc_profile": bytes(range(256)) * 2000} if kind in ("JPEG", "PNG", "TIFF", "WEBP") else {}
    more |= {"comment": b"x" * 60_000} if kind in ("JPEG", "GIF") else {}
    content = saved(kind, **more)
    with Image.open(io.BytesIO(content)) as opened:
        assert (opened.height, opened.width) == decode(content).shape[1:] == measure(io.BytesIO(content))[1:]
