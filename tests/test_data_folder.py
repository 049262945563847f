"""Folders and zip files of images, real and hostile ones."""

import io
import logging
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from gan_framework.data import Batches, InMemory, build_source
from gan_framework.errors import ConfigError, RunFailed
from gan_zoo.datasets.decoding import decode
from gan_zoo.datasets.files import FolderFiles, ZipFiles
from gan_zoo.datasets.image_files import CHUNK, ImageFiles

CONF = Path(__file__).parents[1] / "conf" / "data" / "folder.yaml"


def source(path, **settings):
    return build_source({**OmegaConf.load(CONF), "image_size": 8, "path": str(path), **settings})


def picture(number, size=(8, 8), mode="RGB"):
    shape = (size[1], size[0]) + ((len(mode),) if len(mode) > 1 else ())
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8), mode)


def encoded(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def pixels(image):
    values = torch.from_numpy(np.array(image))
    return values[None] if values.ndim == 2 else values.permute(2, 0, 1)


def write(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def pack(path, files, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_: str(tmp_path / "cache"))
    return tmp_path / "cache" / "scans"


@pytest.fixture
def two_classes():
    return {f"{kind}/{i:02}.png": encoded(picture(i)) for i in range(20) for kind in ("dog", "cat") if i % 3 or kind == "cat"}


@pytest.fixture(params=["folder", "zip"])
def place(request, tmp_path, two_classes):
    if request.param == "folder":
        return write(tmp_path / "images", two_classes)
    return pack(tmp_path / "images.zip", two_classes)


# -- what is read --------------------------------------------------------------------------------


def test_subfolders_are_classes_in_the_order_of_their_names(place, two_classes):
    data = source(place, test_share=0)
    assert (data.classes, data.shape) == (("cat", "dog"), ((3, 8, 8), 2, 0))
    train = data.load("train")
    names = sorted(two_classes)
    assert train.labels.tolist() == [int(name.startswith("dog")) for name in names]
    expected = torch.stack([pixels(Image.open(io.BytesIO(two_classes[name]))) for name in names])
    assert torch.equal(train.read(range(len(names))), expected)


def test_the_held_out_share_is_fixed_and_disjoint(place, two_classes):
    everything = source(place, test_share=0).load("train")
    train, test = (source(place, test_share=0.25).load(split) for split in ("train", "test"))
    assert (len(everything), len(train), len(test)) == (33, 25, 8)
    held = {image.numpy().tobytes() + bytes([label]) for image, label in zip(test.samples, test.labels, strict=True)}
    kept = {image.numpy().tobytes() + bytes([label]) for image, label in zip(train.samples, train.labels, strict=True)}
    assert not held & kept
    assert len(held | kept) == 33
    assert test.content_hash() == source(place, test_share=0.25).load("test").content_hash()


def test_test_path_is_the_test_split_with_the_classes_of_path(place, tmp_path):
    test = write(tmp_path / "test", {"dog/1.png": encoded(picture(50)), "cat/1.png": encoded(picture(51))})
    data = source(place, test_path=str(test))
    assert len(data.load("train")) == 33
    assert data.load("test").labels.tolist() == [0, 1]
    write(test, {"fox/1.png": encoded(picture(52))})
    with pytest.raises(ConfigError, match="data.test_path.*'fox'.*cat, dog"):
        source(place, test_path=str(test)).load("test")


def test_images_in_the_root_have_no_labels(tmp_path):
    root = write(tmp_path / "r", {f"{i}.png": encoded(picture(i)) for i in range(4)})
    data = source(root, test_share=0)
    assert (data.classes, data.shape.num_classes, data.load("train").labels) == ((), 0, None)


def test_a_single_folder_around_everything_is_no_class(tmp_path, two_classes):
    packed = pack(tmp_path / "a.zip", {f"pets/{name}": content for name, content in two_classes.items()})
    assert source(packed).classes == ("cat", "dog")


def test_what_is_no_image_or_hidden_is_left_alone(tmp_path, two_classes):
    other = {"readme.txt": b"hi", "cat/.a.png": b"", "cat/Thumbs.db": b"", "__MACOSX/cat/._1.png": b"", ".git/x.png": b""}
    root = write(tmp_path / "r", {**two_classes, **other})
    os.mkfifo(root / "cat" / "pipe.png")
    assert len(source(root, test_share=0).load("train")) == 33


def test_a_linked_folder_is_followed_once(tmp_path, two_classes):
    root = write(tmp_path / "r", two_classes)
    (root / "cat" / "loop").symlink_to(root)
    (root / "fox").symlink_to(write(tmp_path / "elsewhere", {"1.png": encoded(picture(1))}))
    data = source(root, test_share=0)
    assert data.classes == ("cat", "dog", "fox")
    assert len(data.load("train")) == 34


# -- decoding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_lossless_formats_keep_their_pixels(format):
    options = {"lossless": True} if format == "WEBP" else {}
    assert torch.equal(decode(encoded(picture(0), format, **options)), pixels(picture(0)))


def test_16_bit_greys_are_scaled_not_cut():
    values = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    assert decode(encoded(Image.fromarray(values))).flatten().tolist() == [0, 1, 128, 255]


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


# -- streaming -----------------------------------------------------------------------------------


def test_streamed_equals_in_memory(place):
    memory, stream = (source(place, in_memory_mb=mb, test_share=0.1).load("train") for mb in (100, 0))
    assert (type(memory), type(stream)) == (InMemory, ImageFiles)
    assert torch.equal(memory.read([3, 1, 29]), stream.read(torch.tensor([3, 1, 29])))
    assert memory.content_hash() == stream.content_hash()
    for workers in (0, 2):
        a = Batches(memory, 8, 0, "cpu", flip=True)
        b = Batches(stream, 8, 0, "cpu", flip=True, workers=workers)
        a.drawn = b.drawn = 2
        for _ in range(6):
            p, q = a(), b()
            assert torch.equal(p.samples, q.samples) and torch.equal(p.labels, q.labels)


def test_streamed_digests_are_those_of_what_is_read(place):
    stream = source(place, in_memory_mb=0).load("train")
    fresh = ImageFiles(stream.files, stream.names, stream.shape, stream.labels, None)
    assert fresh.content_hash() == stream.content_hash()


def test_a_streamed_set_is_read_through_once_until_a_file_changes(tmp_path, two_classes, cache, monkeypatch):
    root = write(tmp_path / "r", two_classes)
    data = source(root, in_memory_mb=0, on_bad="skip", test_share=0)
    train = data.load("train")
    first = train.content_hash()
    with monkeypatch.context() as patch:
        patch.setattr("gan_zoo.datasets.image_files.decode", None)
        assert data.load("train").digests() == train.digests()
    write(root, {"cat/01.png": encoded(picture(99))})
    assert data.load("train").content_hash() != first
    (root / "cat" / "01.png").write_bytes(b"broken now")
    assert len(data.load("train")) == 32
    assert len(data.load("train")) == 32


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path, two_classes, cache):
    cache.parent.parent.mkdir(exist_ok=True)
    cache.parent.write_text("a file where the folder would be")
    root = write(tmp_path / "r", two_classes)
    stream, memory = (source(root, in_memory_mb=mb).load("train") for mb in (0, 9))
    assert stream.content_hash() == memory.content_hash()


def test_a_file_that_vanishes_during_the_run_is_named(tmp_path, two_classes):
    root = write(tmp_path / "r", two_classes)
    stream = source(root, in_memory_mb=0, test_share=0).load("train")
    (root / "cat" / "03.png").unlink()
    draw = Batches(stream, 33, 0, "cpu", workers=1)
    with pytest.raises(RunFailed, match="changed during the run: cat/03.png"):
        draw()


def test_many_files_are_read_by_several_processes_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("gan_zoo.datasets.image_files.CHUNK", 1)
    root = write(tmp_path / "r", {f"{i:03}.png": encoded(picture(i)) for i in range(40)})
    (root / "017.png").write_bytes(b"")
    assert CHUNK > 1
    train = source(root, on_bad="skip", test_share=0).load("train")
    expected = torch.stack([pixels(picture(i)) for i in range(40) if i != 17])
    assert torch.equal(train.samples, expected)


@pytest.mark.parametrize("kind", [FolderFiles, ZipFiles])
def test_files_can_be_sent_to_another_process(kind, tmp_path, two_classes):
    path = write(tmp_path / "r", two_classes) if kind is FolderFiles else pack(tmp_path / "a.zip", two_classes)
    files = kind(path)
    there = pickle.loads(pickle.dumps(files))
    assert there.read("cat/01.png") == two_classes["cat/01.png"]


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
        source(root, test_share=0, in_memory_mb=in_memory_mb).load("train")
    message = str(refusal.value)
    assert f"{len(BAD)} of {33 + len(BAD)} images" in message and "data.on_bad=skip" in message
    assert all(name in message for name in bad)


@pytest.mark.parametrize("in_memory_mb", [10, 0])
def test_bad_files_are_named_and_skipped(tmp_path, two_classes, in_memory_mb, caplog):
    good = source(write(tmp_path / "good", two_classes), test_share=0).load("train")
    root = write(tmp_path / "r", {**two_classes, **{f"cat/{k}.png": v for k, v in BAD.items()}})
    with caplog.at_level(logging.WARNING):
        data = source(root, test_share=0, on_bad="skip", in_memory_mb=in_memory_mb).load("train")
    assert data.content_hash() == good.content_hash()
    assert f"{len(BAD)} of {33 + len(BAD)}" in caplog.text and "cat/bomb.png" in caplog.text


def test_a_long_list_of_bad_files_is_cut(tmp_path):
    root = write(tmp_path / "r", {f"{i}.png": b"" for i in range(200)})
    with pytest.raises(ConfigError, match="and 190 more"):
        source(root, test_share=0).load("train")
    with pytest.raises(ConfigError, match="not one of 200 images"):
        source(root, test_share=0, on_bad="skip").load("train")


# -- hostile and mistaken places -----------------------------------------------------------------


def test_places_without_images_are_refused(tmp_path):
    (tmp_path / "empty" / "cat").mkdir(parents=True)
    (tmp_path / "notes.zip").write_bytes(b"no zip")
    cases = {
        None: "data.path is missing",
        tmp_path / "nowhere": "nowhere: there is no such",
        tmp_path / "empty": "holds no image",
        tmp_path / "notes.zip": "notes.zip cannot be opened as a zip",
        pack(tmp_path / "texts.zip", {"a.txt": b"a"}): "texts.zip holds no image",
    }
    for path, message in cases.items():
        with pytest.raises(ConfigError, match=message):
            build_source({**OmegaConf.load(CONF), "path": path and str(path)})


@pytest.mark.parametrize("name", ["../out.png", "/etc/out.png", "a/../../out.png", "..\\out.png", "C:\\out.png"])
def test_a_zip_whose_names_climb_out_is_refused(tmp_path, name):
    packed = pack(tmp_path / "climb.zip", {"a.png": encoded(picture(0)), name: encoded(picture(1))})
    with pytest.raises(ConfigError, match=r"climb.zip holds the name .*outside"):
        source(packed)


def test_a_zip_cut_short_is_refused(place, tmp_path):
    whole = pack(tmp_path / "whole.zip", {f"{i}.png": encoded(picture(i)) for i in range(9)}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match=r"cut.zip cannot be opened.*cut short"):
        source(tmp_path / "cut.zip")


def test_a_zip_with_a_damaged_file_names_it(tmp_path):
    content = encoded(picture(0, (32, 32)))
    packed = pack(tmp_path / "a.zip", {"good.png": encoded(picture(1)), "hurt.png": content})
    whole = bytearray(packed.read_bytes())
    whole[whole.index(content) + 200] ^= 255
    packed.write_bytes(whole)
    with pytest.raises(ConfigError, match="1 of 2 images cannot be read:\n  hurt.png: BadZipFile"):
        source(packed, test_share=0).load("train")


def test_a_zip_bomb_is_refused(tmp_path):
    packed = pack(tmp_path / "bomb.zip", {"a.png": bytes(80 * 2**20)}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ConfigError, match=r"bomb.zip \(a.png\).*refused as a zip bomb"):
        source(packed)


def test_a_zip_bomb_of_many_small_files_is_refused(tmp_path):
    zeros = zlib.compress(bytes(60 * 2**20))
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.png", bytes(60 * 2**20))
        entry = archive.infolist()[0]
        for i in range(1, 20):  # twenty names for the same bytes
            other = zipfile.ZipInfo(f"{i}.png")
            for key in ("compress_type", "compress_size", "file_size", "CRC", "header_offset", "external_attr"):
                setattr(other, key, getattr(entry, key))
            archive.filelist.append(other)
    assert path.stat().st_size < 2 * len(zeros)
    with pytest.raises(ConfigError, match=r"all in all.*refused as a zip bomb"):
        source(path)


def test_an_encrypted_zip_is_refused(tmp_path):
    packed = pack(tmp_path / "secret.zip", {"a.png": encoded(picture(0))})
    whole = bytearray(packed.read_bytes())
    whole[whole.index(b"PK\x01\x02") + 8] |= 1
    packed.write_bytes(whole)
    with pytest.raises(ConfigError, match=r"secret.zip is encrypted"):
        source(packed)


def test_images_beside_classes_are_refused(tmp_path, two_classes):
    root = write(tmp_path / "r", {**two_classes, "lost.png": encoded(picture(0))})
    with pytest.raises(ConfigError, match=r"both in subfolders.*lost.png"):
        source(root)


def test_splits_are_not_taken_for_classes(tmp_path, two_classes):
    root = write(tmp_path / "r", {f"{split}/{n}": c for split in ("train", "test") for n, c in two_classes.items()})
    with pytest.raises(ConfigError, match=r"data.path=.*/train data.test_path=.*/test"):
        source(root)
    assert source(root / "train", test_path=str(root / "test")).classes == ("cat", "dog")


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
        source(write(tmp_path / "r", two_classes), **{setting: value})


def test_without_a_share_there_is_no_test_split(tmp_path, two_classes):
    data = source(write(tmp_path / "r", two_classes), test_share=0)
    with pytest.raises(ConfigError, match="no split 'test'.*data.test_share"):
        data.load("test")
    with pytest.raises(ConfigError, match="no split 'valid'.*train, test"):
        data.load("valid")
