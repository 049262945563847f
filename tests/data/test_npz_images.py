"""Images in arrays: of two colours, and of a number of channels that nobody asked for."""

import logging

import numpy as np
import pytest
import torch

from gan_framework.data import Batches
from gan_framework.errors import ConfigError
from tests.data.making import encoded, folder, picture, source, write

RANDOM = np.random.default_rng(0)
SPRITES = RANDOM.integers(0, 2, (20, 6, 6), dtype=np.uint8)
GREY = RANDOM.integers(0, 256, (20, 6, 6), dtype=np.uint8)
COLOUR = RANDOM.integers(0, 256, (20, 6, 6, 3), dtype=np.uint8)


@pytest.fixture
def npz(tmp_path):
    def build(x, name="a.npz", more=None, **settings):
        np.savez_compressed(tmp_path / name, x=x, **(more or {}))
        given = {"path": str(tmp_path / name), "image_size": 6, "y": None, "test_share": 0, **settings}
        return source("npz", **given)

    return build


# -- two colours ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, bool])
@pytest.mark.parametrize("image_size", [6, None])
def test_images_of_0_and_1_are_black_and_white(npz, caplog, dtype, image_size):
    x = SPRITES[:, None].astype(dtype)
    with caplog.at_level(logging.INFO):
        train = npz(x, image_size=image_size).load("train")
    assert np.array_equal(train.read(range(20)).numpy(), SPRITES[:, None] * 255)
    assert "a.npz (x) has the values 0 and 1 only: they become 0 and 255" in caplog.text
    assert Batches(train, 20, 0, "cpu")().samples.unique().tolist() == [-1, 1]


def test_volumes_and_extras_of_0_and_1_are_black_and_white(npz, tmp_path):
    volumes = RANDOM.integers(0, 2, (20, 1, 3, 4, 5), dtype=np.uint8)
    more = {"m": SPRITES, "b": SPRITES.astype(bool), "g": GREY}
    data = npz(volumes, image_size=None, more=more, extra={"mask": "m", "flags": "b", "grey": "g"})
    train = data.load("train")
    extra = train.read_extra(range(20))
    assert np.array_equal(train.read(range(20)).numpy(), volumes * 255)
    assert all(np.array_equal(extra[name].numpy(), SPRITES[:, None] * 255) for name in ("mask", "flags"))
    assert np.array_equal(extra["grey"].numpy(), GREY[:, None])


@pytest.mark.parametrize("image_size", [6, None])
def test_the_training_file_decides(npz, tmp_path, image_size):
    test = {"test_path": f"{tmp_path}/b.npz", "image_size": image_size}
    black = np.zeros((3, 1, 6, 6), np.uint8)
    npz(black, "b.npz")
    assert int(npz(SPRITES[:, None], **test).load("test").samples.max()) == 0
    npz(SPRITES[:4, None], "b.npz")
    for first in ("train", "test"):
        data = npz(SPRITES[:, None], **test)
        data.load(first)
        assert np.array_equal(data.load("test").samples.numpy(), SPRITES[:4, None] * 255)
    with pytest.raises(ConfigError, match=r"b.npz \(x\) has values up to 1, and .*a.npz \(x\) others than 0 and 1"):
        npz(GREY[:, None], **test).load("train")
    npz(GREY[:, None], "b.npz")
    with pytest.raises(ConfigError, match=r"b.npz \(x\) has values up to 255, and .*a.npz \(x\) only 0 and 1"):
        npz(SPRITES[:, None], **test).load("train")


def test_other_images_keep_their_values(npz, caplog):
    with caplog.at_level(logging.INFO):
        assert np.array_equal(npz(GREY).load("train").samples[:, 0].numpy(), GREY)
        assert "255" not in caplog.text
        dark = npz(np.minimum(GREY, 2)).load("train")
        assert int(dark.samples.max()) == 2
        npz(np.zeros_like(GREY)).load("train")
    assert caplog.text.count("has no value but 0: its images are black") == 1


@pytest.mark.parametrize("in_memory_mb", [10, 0])
def test_a_folder_that_looks_black_is_reported(tmp_path, caplog, in_memory_mb):
    from PIL import Image

    root = write(tmp_path / "r", {f"{n}.png": encoded(Image.fromarray(SPRITES[n].repeat(2, 0))) for n in range(20)})
    settings = {"in_memory_mb": in_memory_mb, "channels": 1, "test_share": 0}
    for _ in range(2):  # read, and remembered
        caplog.clear()
        assert int(folder(root, **settings).load("train").read(range(20)).max()) == 1
        assert "no pixel of 20 images is brighter than 1 of 255, so they look black" in caplog.text
    caplog.clear()
    twelve = np.full((16, 16), 4095, np.uint16)  # a microscope's white
    write(root, {"twelve.png": encoded(Image.fromarray(twelve))})
    folder(root, **settings).load("train")
    assert "no pixel of 21 images is brighter than 16 of 255, so they look black: where 16 means" in caplog.text
    caplog.clear()
    write(root, {"bright.png": encoded(picture(0))})
    folder(root, **settings).load("train")
    assert "look black" not in caplog.text


# -- channels -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("x", "channels"), [(COLOUR, 3), (COLOUR.transpose(0, 3, 1, 2), 3), (GREY, 1)])
@pytest.mark.parametrize("image_size", [6, 9])
def test_images_keep_their_channels(npz, x, channels, image_size):
    data = npz(x, image_size=image_size)
    assert data.shape.sample == (channels, image_size, image_size)
    assert data.load("train").read([0]).shape[1:] == data.shape.sample


def test_channels_are_changed_where_it_is_asked_for(npz, caplog):
    with caplog.at_level(logging.INFO):
        data = npz(COLOUR, channels=1)
    assert data.load("train").samples.shape == (20, 1, 6, 6)
    assert "a.npz: its colour images are turned to grey, as data.channels=1 says" in caplog.text
    assert torch.equal(*npz(GREY, channels=3).load("train").samples[:, :2].split(1, 1))


def test_a_test_file_of_other_channels_is_refused(npz, tmp_path):
    npz(GREY, "b.npz")
    test = {"test_path": f"{tmp_path}/b.npz"}
    message = r"data.test_path=.*b.npz has images of 1 channels, and data.path=.*a.npz of 3: set data.channels"
    with pytest.raises(ConfigError, match=message):
        npz(COLOUR, **test)
    assert npz(COLOUR, channels=3, **test).load("test").samples.shape == (20, 3, 6, 6)


def test_channels_last_without_a_size_are_reported(npz, caplog):
    said = "used as it is, that is 6 channels of 6x3 pixels"
    npz(COLOUR / np.float32(255), image_size=None)
    assert f"(x) is (20, 6, 6, 3): {said}" in caplog.text
    caplog.clear()
    npz(GREY, more={"m": COLOUR}, extra={"mask": "m"}).load("train")
    assert f"(m) is (20, 6, 6, 3): {said}" in caplog.text
    caplog.clear()
    for x in (COLOUR.transpose(0, 3, 1, 2), COLOUR):
        assert npz(x, image_size=None).shape.sample == (3, 6, 6)
    assert not caplog.text


# -- arrays of one name ---------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_array_that_lies_twice_in_the_file_is_refused(npz, tmp_path):
    import zipfile

    npz(GREY)
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        archive.writestr("x.npy", archive.read("x.npy"))
    with pytest.raises(ConfigError, match="a.npz has 2 arrays data.x=x: which is meant is not known"):
        source("npz", path=f"{tmp_path}/a.npz", y=None)
