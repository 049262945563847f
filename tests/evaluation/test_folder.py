"""A folder of images to be scored: which files, and which pixels."""

import os

import numpy as np
import pytest
import torch
from PIL import Image

from gan_framework.errors import ConfigError
from gan_framework.evaluation.folder import find_images, image_files, read_images
from tests.data.making import encoded, folder, picture, pixels, write


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_FRAMEWORK_CACHE", str(tmp_path / "cache"))


def turned(image):
    """Return a file of an image that lies on its side and says so."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    return encoded(image, exif=exif)


def deep(image):
    """Return a grey image's file with 16 bits a pixel."""
    return encoded(Image.fromarray(np.asarray(image).astype(np.uint16) * 257))


def half_transparent(image):
    image = image.convert("RGBA")
    image.putalpha(picture(9, mode="L"))
    return encoded(image)


def read(root, channels):
    (batch,) = read_images(image_files(root), (channels, 8, 8), 100)
    return batch


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_read_as_the_data_set_reads_them(tmp_path, channels):
    grey, colour = picture(0, mode="L"), picture(1)
    root = write(
        tmp_path / "images",
        {
            "a/8_bit.png": encoded(grey),
            "a/16_bit.png": deep(grey),
            "b/opaque.png": encoded(colour),
            "b/opaque_rgba.png": encoded(colour.convert("RGBA")),
            "b/palette.gif": encoded(colour, "GIF"),
            "b/transparent.png": half_transparent(colour),
            "b/turned.png": turned(colour),
        },
    )
    data = folder(root, channels=channels, test_path=str(root)).load("train")
    assert torch.equal(read(root, channels), data.read(range(7)))


def test_16_bits_and_an_opaque_alpha_channel_change_nothing(tmp_path):
    grey = picture(0, mode="L")
    root = write(tmp_path, {"a.png": encoded(grey), "b.png": deep(grey), "c.png": encoded(grey.convert("RGBA"))})
    assert torch.equal(read(root, 1), pixels(grey).expand(3, 1, 8, 8))


def test_the_size_that_counts_is_the_upright_one(tmp_path):
    root = write(tmp_path, {name: turned(picture(0, (6, 4))) for name in ("a.png", "b.png")})
    (batch,) = read_images(image_files(root), (3, 6, 4), 2)
    assert batch.shape == (2, 3, 6, 4)
    with pytest.raises(ConfigError, match="a.png is 6x4, and the images of the dataset are 4x6"):
        next(read_images(image_files(root), (3, 4, 6), 2))


def test_hidden_files_are_left_out_and_every_format_is_read(tmp_path):
    content = encoded(picture(0))
    shown = ["e/a.PNG", "e/b.tiff", "e/c.gif", "f/d.ppm", "f/e.bmp"]
    hidden = [".cache/x.png", "e/._a.png", "__MACOSX/a.png", "notes.txt"]
    root = write(tmp_path / "images", dict.fromkeys(shown + hidden, content))
    found = [path.relative_to(root).as_posix() for path in image_files(root)]
    assert found == shown
    assert found == list(folder(root).files.names)


def test_what_is_left_out_is_said(tmp_path):
    content = encoded(picture(0))
    names = [
        "a.png",
        "b.jfif",
        "c.jpe",
        "d.heic",
        "e.heic",
        "notes.txt",
        ".DS_Store",
        "evaluation.json",
        "x/evaluation.json",
    ]
    root = write(tmp_path, dict.fromkeys(names, content))
    found, left_out = find_images(root)
    assert [path.name for path in found] == ["a.png", "b.jfif", "c.jpe"]
    assert left_out == "left out 5 files that are not images: 2 .heic, 1 .json, 1 .txt, 1 hidden"
    write(tmp_path / "other", dict.fromkeys(["a.png", "b.png", "evaluation.json"], content))
    assert find_images(tmp_path / "other")[1] == ""
    with pytest.raises(
        ConfigError, match=r"at least two images: it holds 0 and has left out 1 file .*: 1 .heic; images"
    ):
        find_images(write(tmp_path / "none", {"d.heic": content}))


def test_what_cannot_be_followed_is_refused(tmp_path):
    root = write(tmp_path / "made", dict.fromkeys(["a.png", "b.png", "sub/c.png"], encoded(picture(0))))
    for number in range(12):
        (root / f"l{number:02}").symlink_to("/nowhere")
    with pytest.raises(ConfigError, match=r"made: 12 of its entries .*l00: a link to /nowhere.*l09: .*; and 2 more"):
        image_files(root)


def test_a_link_to_nothing_named_like_an_image_is_refused(tmp_path):
    root = write(tmp_path / "made", dict.fromkeys(["a.png", "b.png"], encoded(picture(0))))
    (root / "l.png").symlink_to("/nowhere/l.png")
    paths = image_files(root)
    assert len(paths) == 3
    with pytest.raises(ConfigError, match="l.png cannot be read as an image: FileNotFoundError"):
        list(read_images(paths, (3, 8, 8), 2))


def test_pictures_of_an_earlier_scoring_are_no_images(tmp_path):
    content = encoded(picture(0))
    names = ["a.png", "b.png", "evaluation_memorisation.png", "evaluation_x/c.png", "sub/evaluation_1.png"]
    root = write(tmp_path, dict.fromkeys(names, content))
    found = [path.relative_to(root).as_posix() for path in image_files(root)]
    assert found == ["a.png", "b.png", "evaluation_x/c.png", "sub/evaluation_1.png"]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_what_is_no_file_is_not_opened(tmp_path, make):
    path = tmp_path / "image.png"
    make(path)
    with pytest.raises(ConfigError, match=r"image.png cannot be read as an image: it is not a file"):
        next(read_images([path], (1, 8, 8), 1))
