import struct

import numpy as np
import pytest
import torch
from PIL import Image

from gan_framework.data.decoding import decode
from gan_framework.data.pixels import fit
from tests.data.making import encoded, picture, pixels


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_lossless_formats_keep_their_pixels(format):
    options = {"lossless": True} if format == "WEBP" else {}
    assert torch.equal(decode(encoded(picture(0), format, **options)), pixels(picture(0)))


def test_16_bit_greys_are_scaled_not_cut():
    values = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    assert decode(encoded(Image.fromarray(values))).flatten().tolist() == [0, 1, 128, 255]


def tiff(values, bits=16, order="<", white_is_zero=False, signed=False):
    """Return a TIFF of one row of grey pixels, written by hand as the format's description says."""
    packed = {16: "H", 32: "I"}.get(bits)
    if packed:
        data = struct.pack(f"{order}{len(values)}{packed.lower() if signed else packed}", *values)
    else:  # 12 bits: two pixels in three bytes, the first bits first
        whole = int("".join(f"{value:012b}" for value in values), 2)
        data = whole.to_bytes(len(values) * 12 // 8, "big")
    data += bytes(len(data) % 2)
    entries = [
        *((256, 3, len(values)), (257, 3, 1), (258, 3, bits), (259, 3, 1), (262, 3, 0 if white_is_zero else 1)),
        *((273, 4, 8), (277, 3, 1), (278, 3, 1), (279, 4, len(data)), (339, 3, 2 if signed else 1)),
    ]
    table = struct.pack(f"{order}H", len(entries))
    for tag, kind, value in entries:
        table += struct.pack(f"{order}HHI", tag, kind, 1)
        table += struct.pack(f"{order}HH", value, 0) if kind == 3 else struct.pack(f"{order}I", value)
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(data))
    return start + data + table + bytes(4)


@pytest.mark.parametrize("order", "<>")
def test_16_bits_are_read_in_both_byte_orders(order):
    assert decode(tiff([0, 257, 32896, 65535], order=order)).flatten().tolist() == [0, 1, 128, 255]


def test_16_bits_whose_zero_is_white_are_turned_round():
    assert decode(tiff([0, 257, 32896, 65535], white_is_zero=True)).flatten().tolist() == [255, 254, 127, 0]


def test_12_bits_fill_the_whole_range():
    assert decode(tiff([0, 16, 2056, 4095], bits=12)).flatten().tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize("greatest", [1023, 65535])
def test_a_portable_grey_map_is_scaled_by_its_own_greatest_value(greatest):
    values = [0, greatest // 2, greatest]
    content = f"P5 3 1 {greatest}\n".encode() + struct.pack(">3H", *values)
    assert decode(content).flatten().tolist() == [0, 127, 255]


@pytest.mark.parametrize("content", [tiff([0, 255, 9], bits=32), tiff([0, 255, 9], signed=True)])
def test_whole_numbers_of_unknown_range_are_refused(content):
    with pytest.raises(ValueError, match="32-bit whole numbers, whose range is unknown: save them with 8 or 16 bits"):
        decode(content)


@pytest.mark.parametrize(
    "content", [b"Pf 2 1 -1.0\n" + struct.pack("<2f", 0, 1), encoded(Image.new("F", (2, 1)), "TIFF")]
)
def test_floating_point_pixels_are_refused(content):
    with pytest.raises(ValueError, match="floating-point numbers, whose range is unknown"):
        decode(content)


def test_a_bitmap_without_its_header_is_read():
    assert torch.equal(decode(encoded(picture(0), "DIB")), pixels(picture(0)))


def test_transparent_pixels_are_white():
    image = Image.new("RGBA", (2, 1), (10, 20, 30, 255))
    image.putpixel((1, 0), (10, 20, 30, 0))
    assert decode(encoded(image))[:, 0].T.tolist() == [[10, 20, 30], [255, 255, 255]]


def test_photos_stand_upright():
    image = picture(0, (6, 4))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    turned = decode(encoded(image, exif=exif))
    assert torch.equal(turned, pixels(image.rotate(-90, expand=True)))


def test_palettes_and_bits_become_colour_and_grey():
    image = picture(0).convert("P")
    assert torch.equal(decode(encoded(image)), pixels(image.convert("RGB")))
    bits = picture(0).convert("1")
    assert torch.equal(decode(encoded(bits)), pixels(bits.convert("L")))


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(("before", "after"), [(8, 32), (28, 32), (96, 32), (33, 7), (32, 64)])
def test_resizing_agrees_with_pillows_antialiased_bicubic(mode, before, after):
    image = picture(0, (before, before), mode)
    ours = fit(pixels(image)[None], after, len(mode))[0].int()
    difference = (ours - pixels(image.resize((after, after), Image.Resampling.BICUBIC)).int()).abs()
    assert difference.max() <= 2 and difference.float().mean() < 0.02


def test_what_is_not_square_is_cropped_at_its_centre():
    image = picture(0, (20, 10))
    assert torch.equal(fit(pixels(image)[None], 10, 3)[0], pixels(image.crop((5, 0, 15, 10))))
    image = picture(0, (10, 21))
    assert torch.equal(fit(pixels(image)[None], 10, 3)[0], pixels(image.crop((0, 5, 10, 15))))


def test_colour_becomes_the_same_grey_as_in_pillow():
    image = picture(0, (64, 64))
    assert torch.equal(fit(pixels(image)[None], 64, 1)[0], pixels(image.convert("L")))


def test_grey_becomes_colour_by_repetition():
    grey = pixels(picture(0, mode="L"))
    assert torch.equal(fit(grey[None], 8, 3)[0], grey.expand(3, 8, 8))


def test_an_image_is_resized_the_same_alone_and_among_many():
    images = torch.stack([pixels(picture(i, (9, 9))) for i in range(1100)])
    together = fit(images, 16, 3)
    assert all(torch.equal(fit(images[i : i + 1], 16, 3)[0], together[i]) for i in (0, 1023, 1024, 1099))
