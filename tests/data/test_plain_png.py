"""PNG files of the usual make become the same pixels, and have the same shapes, as Pillow says; it has all others."""

import io
import random
import re
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from gan_framework.data import decoding, plain_png


def png(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", **options)
    return file.getvalue()


def noise(*shape):
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


def smooth(*shape):
    """Pixels for which encoders choose each of the format's filters."""
    ramps = np.add.outer(np.arange(shape[0]) * 3, np.arange(shape[1]) * 2) % 256
    return np.ascontiguousarray(np.broadcast_to(ramps[..., None], (*shape[:2], 3)).astype(np.uint8))


def by_pillow(content, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(plain_png, "decode", lambda *_: None)
        patch.setattr(plain_png, "shape", lambda *_: None)
        return decoding.decode(content), decoding.measure(io.BytesIO(content))


@pytest.mark.parametrize("pixels", [noise(1, 1), noise(5, 7), noise(16, 16, 3), smooth(40, 30), smooth(300, 200)])
@pytest.mark.parametrize("options", [{}, {"compress_level": 0}, {"optimize": True}])
def test_usual_files_are_decoded_as_by_pillow(pixels, options, monkeypatch):
    content = png(pixels, **options)
    found = plain_png.decode(content, decoding.MAX_PIXELS)
    assert np.array_equal(found, pixels)
    expected, shape = by_pillow(content, monkeypatch)
    assert torch.equal(decoding.decode(content), expected)
    assert plain_png.shape(content[: plain_png.MEASURED]) == shape == tuple(expected.shape)
    assert decoding.decode(content).flatten()[:1].fill_(3)[0] == 3  # what others change is theirs


def exif(orientation):
    found = Image.Exif()
    found[0x0112] = orientation
    return found


OTHERS = {
    "two colours": lambda: png(noise(6, 6) > 127),
    "16 bits": lambda: png(noise(6, 6).astype(np.uint16) * 257),
    "transparent": lambda: png(noise(6, 6, 4)),
    "a transparent colour": lambda: png(noise(6, 6, 3), transparency=(1, 2, 3)),
    "a palette": lambda: _saved(Image.fromarray(noise(6, 6, 3)).convert("P")),
    "on its side": lambda: png(noise(6, 9, 3), exif=exif(6)),
    "upside down": lambda: png(noise(6, 9), exif=exif(3)),
    "with an odd orientation": lambda: png(noise(6, 9), exif=exif(11)),
    "with a text": lambda: png(noise(6, 9), pnginfo=_text()),
}


def _saved(image):
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


def _text():
    from PIL.PngImagePlugin import PngInfo

    found = PngInfo()
    found.add_text("Comment", "hello")
    return found


@pytest.mark.parametrize("kind", OTHERS)
def test_other_files_are_left_to_pillow(kind, monkeypatch):
    content = OTHERS[kind]()
    assert plain_png.decode(content, decoding.MAX_PIXELS) is None
    expected, shape = by_pillow(content, monkeypatch)
    assert torch.equal(decoding.decode(content), expected)
    assert decoding.measure(io.BytesIO(content)) == shape == tuple(expected.shape)


def test_an_orientation_behind_the_pixels_counts(monkeypatch):
    content, data = png(noise(6, 9, 3)), exif(6).tobytes()[6:]
    part = b"eXIf" + data
    late = content[: -len(plain_png.END)] + len(data).to_bytes(4, "big") + part
    late += zlib.crc32(part).to_bytes(4, "big") + plain_png.END
    assert decoding.decode(late).shape == (3, 9, 6)


def test_too_many_pixels_are_pillows_to_refuse():
    content = png(noise(20, 20))
    assert plain_png.decode(content, 399) is None and plain_png.decode(content, 400) is not None


def outcome(content, decode):
    try:
        return decode(content).tolist()
    except Exception as error:
        return re.sub("0x[0-9a-f]+", "", f"{type(error).__name__}: {error}")


@pytest.mark.parametrize("seed", range(40))
def test_damaged_files_come_to_the_same_as_by_pillow(seed, monkeypatch):
    chance = random.Random(seed)
    content = bytearray(png(smooth(12, 10) if seed % 2 else noise(9, 9), compress_level=seed % 10))
    for _ in range(30):
        damaged = bytearray(content)
        match chance.randrange(4):
            case 0:
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            case 1:
                del damaged[chance.randrange(len(damaged)) :]
            case 2:
                at = chance.randrange(len(damaged))
                damaged[at:at] = chance.randbytes(3)
            case 3:
                damaged += chance.randbytes(4)
        found = outcome(bytes(damaged), decoding.decode)
        with monkeypatch.context() as patch:
            patch.setattr(plain_png, "decode", lambda *_: None)
            assert found == outcome(bytes(damaged), decoding.decode)
