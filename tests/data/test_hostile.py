"""Files and places that are damaged, mistaken or meant to harm."""

import logging
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from gan_framework.errors import ConfigError
from tests.data.making import encoded, folder, pack, picture, source, write

# -- bad files -----------------------------------------------------------------------------------


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width, height):
    """Return a PNG of a few bytes that announces any number of pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


BAD = {
    "empty": b"",
    "text": b"this is no image" * 10,
    "truncated": encoded(picture(0, (64, 64)), "JPEG")[:-400],
    "html": b"<html>404</html>",
    "bomb": png_of(20_000, 20_000),
    "cut": encoded(picture(0, (64, 64)))[:-400],
    "float": encoded(Image.new("F", (4, 4)), "TIFF"),
    "script": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n",
}


@pytest.mark.parametrize("in_memory_mb", [10, 0])
def test_bad_files_are_named_and_counted_and_refused(tmp_path, two_classes, in_memory_mb):
    bad = {f"dog/{name}.jpg": content for name, content in BAD.items()}
    root = write(tmp_path / "r", {**two_classes, **bad})
    with pytest.raises(ConfigError) as refusal:
        folder(root, test_share=0, in_memory_mb=in_memory_mb).load("train")
    message = str(refusal.value)
    assert f"{len(BAD)} of {33 + len(BAD)} images" in message and "data.on_bad=skip" in message
    assert all(name in message for name in bad)


@pytest.mark.parametrize("in_memory_mb", [10, 0])
def test_bad_files_are_named_and_skipped(tmp_path, two_classes, in_memory_mb, caplog):
    good = folder(write(tmp_path / "good", two_classes), test_share=0).load("train")
    root = write(tmp_path / "r", {**two_classes, **{f"cat/{k}.png": v for k, v in BAD.items()}})
    with caplog.at_level(logging.WARNING):
        data = folder(root, test_share=0, on_bad="skip", in_memory_mb=in_memory_mb).load("train")
    assert data.content_hash() == good.content_hash()
    assert f"{len(BAD)} of {33 + len(BAD)}" in caplog.text and "cat/bomb.png" in caplog.text


def test_a_long_list_of_bad_files_is_cut(tmp_path):
    root = write(tmp_path / "r", {f"{i}.png": b"" for i in range(200)})
    with pytest.raises(ConfigError, match="and 190 more"):
        folder(root, test_share=0).load("train")
    with pytest.raises(ConfigError, match="not one of 200 images"):
        folder(root, test_share=0, on_bad="skip").load("train")


# -- hostile and mistaken places -----------------------------------------------------------------


def test_places_without_images_are_refused(tmp_path):
    (tmp_path / "empty" / "cat").mkdir(parents=True)
    for name in ("notes.zip", "table.csv"):
        (tmp_path / name).write_bytes(b"no zip")
    cases = {
        None: "data.path is missing",
        tmp_path / "nowhere": "nowhere: there is no such",
        tmp_path / "empty": "holds no image",
        tmp_path / "notes.zip": "notes.zip cannot be opened as a zip",
        tmp_path / "table.csv": "table.csv is neither a folder nor a zip file of images",
        pack(tmp_path / "texts.zip", {"a.txt": b"a"}): "texts.zip holds no image",
    }
    for path, message in cases.items():
        with pytest.raises(ConfigError, match=message):
            source("folder", path=path and str(path))


@pytest.mark.parametrize("name", ["../out.png", "/etc/out.png", "a/../../out.png", "..\\out.png", "C:\\out.png"])
def test_a_zip_whose_names_climb_out_is_refused(tmp_path, name):
    packed = pack(tmp_path / "climb.zip", {"a.png": encoded(picture(0)), name: encoded(picture(1))})
    with pytest.raises(ConfigError, match=r"climb.zip holds the name .*outside"):
        folder(packed)


def test_a_zip_cut_short_is_refused(tmp_path):
    whole = pack(tmp_path / "whole.zip", {f"{i}.png": encoded(picture(i)) for i in range(9)}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match=r"cut.zip cannot be opened.*cut short"):
        folder(tmp_path / "cut.zip")


def test_a_zip_with_a_damaged_file_names_it(tmp_path):
    content = encoded(picture(0, (32, 32)))
    packed = pack(tmp_path / "a.zip", {"good.png": encoded(picture(1)), "hurt.png": content})
    whole = bytearray(packed.read_bytes())
    whole[whole.index(content) + 200] ^= 255
    packed.write_bytes(whole)
    with pytest.raises(ConfigError, match="1 of 2 images cannot be read: hurt.png: BadZipFile"):
        folder(packed, test_share=0).load("train")


def test_a_zip_bomb_is_refused(tmp_path):
    packed = pack(tmp_path / "bomb.zip", {"a.png": bytes(80 * 2**20)}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ConfigError, match=r"bomb.zip \(a.png\).*refused as a zip bomb"):
        folder(packed)


def test_a_zip_bomb_of_many_small_files_is_refused(tmp_path):
    zeros = bytes(60 * 2**20)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.png", zeros)
        entry = archive.infolist()[0]
        for i in range(1, 20):  # twenty names for the same bytes
            other = zipfile.ZipInfo(f"{i}.png")
            for key in ("compress_type", "compress_size", "file_size", "CRC", "header_offset", "external_attr"):
                setattr(other, key, getattr(entry, key))
            archive.filelist.append(other)
    assert path.stat().st_size < 2**17
    with pytest.raises(ConfigError, match=r"all in all.*refused as a zip bomb"):
        folder(path)


def test_an_encrypted_zip_is_refused(tmp_path):
    packed = pack(tmp_path / "secret.zip", {"a.png": encoded(picture(0))})
    whole = bytearray(packed.read_bytes())
    whole[whole.index(b"PK\x01\x02") + 8] |= 1
    packed.write_bytes(whole)
    with pytest.raises(ConfigError, match=r"secret.zip is encrypted"):
        folder(packed)


def test_images_beside_classes_are_refused(tmp_path, two_classes):
    root = write(tmp_path / "r", {**two_classes, "lost.png": encoded(picture(0))})
    with pytest.raises(ConfigError, match=r"both in subfolders.*lost.png"):
        folder(root)


def test_splits_are_not_taken_for_classes(tmp_path, two_classes):
    root = write(tmp_path / "r", {f"{split}/{n}": c for split in ("train", "test") for n, c in two_classes.items()})
    with pytest.raises(ConfigError, match=r"data.path=.*/train data.test_path=.*/test"):
        folder(root)
    assert folder(root / "train", test_path=str(root / "test")).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("on_bad", "maybe"),
        ("image_size", 0),
        ("image_size", "big"),
        ("channels", 2),
        ("num_classes", 3),
        ("test_share", 1.0),
        ("test_share", "half"),
        ("in_memory_mb", -1),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, two_classes, setting, value):
    with pytest.raises(ConfigError, match=f"data.{setting}={value}"):
        folder(write(tmp_path / "r", two_classes), **{setting: value})


def test_without_a_share_there_is_no_test_split(tmp_path, two_classes):
    data = folder(write(tmp_path / "r", two_classes), test_share=0)
    with pytest.raises(ConfigError, match="no split 'test'.*data.test_share"):
        data.load("test")
    with pytest.raises(ConfigError, match="no split 'valid'.*train, test"):
        data.load("valid")
