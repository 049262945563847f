"""Pairs of images: two folders, halves of files, names; what has no partner, and what is cropped alike."""

import logging

import numpy as np
import pytest
import torch
from PIL import Image

from gan_framework.data import Batches
from gan_framework.data.sources import shape_of
from gan_framework.errors import ConfigError
from gan_zoo.datasets.paired import PairedFiles
from tests.data.making import encoded, pixels, write
from tests.data.making import source as build

SIZE = 6


def source(name, **settings):
    return build(name, **{"source_channels": None, **settings})


def image(number, size=(SIZE, SIZE), mode="RGB"):
    """An image whose values say its number."""
    shape = (size[1], size[0]) + ((3,) if mode == "RGB" else ())
    random = np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)
    random.reshape(-1)[0] = number
    return Image.fromarray(random)


def folders(tmp_path, count=12, ending="png"):
    write(tmp_path / "target", {f"{n:02}.png": encoded(image(n)) for n in range(count)})
    write(tmp_path / "source", {f"{n:02}.{ending}": encoded(image(100 + n)) for n in range(count)})
    return {"path": str(tmp_path / "target"), "source_path": str(tmp_path / "source")}


def check_partners(data, count, ordered=True):
    assert len(data) == count
    for position in range(count):
        target, partner = data.read([position])[0], data.read_extra([position])["source"][0]
        number = int(target[0, 0, 0])
        assert torch.equal(target, pixels(image(number)))
        assert torch.equal(partner, pixels(image(100 + number)))


@pytest.mark.parametrize("in_memory_mb", [64, 0])
def test_two_folders_of_equal_names(tmp_path, in_memory_mb):
    paired = source("paired", **folders(tmp_path), in_memory_mb=in_memory_mb, test_share=0.4)
    train, test = paired.load("train"), paired.load("test")
    assert isinstance(train, PairedFiles) == (in_memory_mb == 0)
    assert len(train) + len(test) == 12 and len(test)
    check_partners(train, len(train))
    check_partners(test, len(test))
    assert shape_of(paired, train).extra == paired.shape.extra == {"source": (3, SIZE, SIZE)}


def test_held_in_memory_or_streamed_they_are_the_same(tmp_path):
    settings = folders(tmp_path)
    held, streamed = (source("paired", **settings, in_memory_mb=mb).load("train") for mb in (64, 0))
    assert held.content_hash() == streamed.content_hash()


@pytest.mark.parametrize("in_memory_mb", [64, 0])
@pytest.mark.parametrize("side", ["left", "right"])
def test_halves_of_files(tmp_path, side, in_memory_mb):
    files = {}
    for n in range(8):
        both = [np.array(image(100 + n)), np.array(image(n))]
        files[f"{n}.png"] = encoded(Image.fromarray(np.concatenate(both if side == "left" else both[::-1], axis=1)))
    write(tmp_path / "both", files)
    settings = {"path": str(tmp_path / "both"), "source_side": side, "in_memory_mb": in_memory_mb, "test_share": 0}
    check_partners(source("paired", **settings).load("train"), 8)


def test_names_in_one_folder(tmp_path):
    files = {f"{n}_b.png": encoded(image(n)) for n in range(8)} | {
        f"{n}_a.png": encoded(image(100 + n)) for n in range(8)
    }
    write(tmp_path / "mixed", files)
    paired = source("paired", path=str(tmp_path / "mixed"), suffixes=["_a", "_b"], test_share=0)
    check_partners(paired.load("train"), 8)


def test_a_place_of_its_own_for_the_test_split(tmp_path):
    train = folders(tmp_path / "train")
    test = {f"test_{name}": value for name, value in folders(tmp_path / "test", 5).items()}
    paired = source("paired", **train, **test)
    check_partners(paired.load("train"), 12)
    check_partners(paired.load("test"), 5)


def test_the_endings_of_files_may_differ(tmp_path):
    settings = folders(tmp_path, ending="bmp")
    assert len(source("paired", **settings, test_share=0).load("train")) == 12


def test_what_has_no_partner_is_named_and_counted(tmp_path, caplog):
    settings = folders(tmp_path)
    (tmp_path / "source" / "03.png").unlink()
    (tmp_path / "target" / "07.png").unlink()
    message = r"2 images have no partner, beside 10 pairs: 03.png \(no source\), 07.png \(no target\)"
    with pytest.raises(ConfigError, match=message):
        source("paired", **settings)
    with caplog.at_level(logging.WARNING):
        check_partners(source("paired", **settings, on_bad="skip", test_share=0).load("train"), 10)
    assert "2 images have no partner" in caplog.text and "They are skipped" in caplog.text


@pytest.mark.parametrize("in_memory_mb", [64, 0])
@pytest.mark.parametrize("side", ["target", "source"])
def test_a_pair_of_which_one_image_is_damaged_is_skipped_whole(tmp_path, caplog, side, in_memory_mb):
    settings = folders(tmp_path) | {"in_memory_mb": in_memory_mb, "test_share": 0}
    (tmp_path / side / "05.png").write_bytes(b"no image")
    with pytest.raises(ConfigError, match=r"1 of 12 pairs cannot be read: 05.png"):
        source("paired", **settings).load("train")
    with caplog.at_level(logging.WARNING):
        check_partners(source("paired", **settings, on_bad="skip").load("train"), 11)
    assert "1 of 12 pairs cannot be read" in caplog.text


def test_two_files_of_one_name_are_not_guessed_about(tmp_path):
    settings = folders(tmp_path)
    write(tmp_path / "source", {"03.bmp": encoded(image(1), "BMP")})
    with pytest.raises(ConfigError, match=r"03.bmp and 03.png have one name"):
        source("paired", **settings)


def test_no_pair_at_all(tmp_path):
    settings = folders(tmp_path)
    for path in (tmp_path / "source").iterdir():
        path.rename(path.with_stem(f"other{path.stem}"))
    with pytest.raises(ConfigError, match="there is not one pair"):
        source("paired", **settings, on_bad="skip")


def test_both_sides_are_cropped_and_resized_alike(tmp_path):
    """A source that is its target's negative stays that through every change."""
    wide = [np.random.default_rng(n).integers(0, 256, (12, 20, 3), dtype=np.uint8) for n in range(6)]
    write(tmp_path / "target", {f"{n}.png": encoded(Image.fromarray(x)) for n, x in enumerate(wide)})
    write(tmp_path / "source", {f"{n}.png": encoded(Image.fromarray(255 - x)) for n, x in enumerate(wide)})
    settings = {"path": str(tmp_path / "target"), "source_path": str(tmp_path / "source"), "test_share": 0}
    for size, crop in ((8, "center"), ([5, 9], "center"), (8, "none"), (8, [6, 6])):
        data = source("paired", **settings, image_size=size, crop=crop).load("train")
        target, partner = data.read(range(6)), data.read_extra(range(6))["source"]
        height, width = (size, size) if isinstance(size, int) else size
        assert target.shape == partner.shape == (6, 3, height, width)
        assert (target.int() + partner.int() - 255).abs().max() <= 2


def test_a_source_of_another_size_and_of_one_channel(tmp_path):
    write(tmp_path / "target", {f"{n}.png": encoded(image(n, (16, 16))) for n in range(5)})
    write(tmp_path / "source", {f"{n}.png": encoded(image(n, (4, 4), "L")) for n in range(5)})
    settings = {"path": str(tmp_path / "target"), "source_path": str(tmp_path / "source"), "test_share": 0}
    own = source("paired", **settings, source_channels=1)
    assert (own.shape.sample, own.shape.extra) == ((3, 16, 16), {"source": (1, 4, 4)})
    resized = source("paired", **settings, image_size=8, source_size=4)
    assert (resized.shape.sample, resized.shape.extra) == ((3, 8, 8), {"source": (3, 4, 4)})
    assert resized.load("train").read_extra([0])["source"].shape == (1, 3, 4, 4)


def test_images_of_other_proportions_do_not_show_the_same(tmp_path):
    settings = folders(tmp_path)
    write(tmp_path / "source", {"04.png": encoded(image(104, (9, 6)))})
    with pytest.raises(ConfigError, match=r"two images of 1 pairs have other proportions .*: 04 \(6x9 and 6x6\)"):
        source("paired", **settings, image_size=6)
    assert source("paired", **settings, image_size=6, crop="none").shape.sample == (3, 6, 6)


@pytest.mark.parametrize("in_memory_mb", [64, 0])
def test_both_are_mirrored_together_and_shuffled_together(tmp_path, in_memory_mb):
    paired = source("paired", **folders(tmp_path), in_memory_mb=in_memory_mb, test_share=0)
    batches = Batches(paired.load("train"), 6, 0, "cpu", flip=True, mirrors=paired.mirrors)
    turned = 0
    for _ in range(4):
        batch = batches()
        for target, partner in zip(batch.samples, batch.extra["source"], strict=True):
            stored = [((x + 1) * 127.5).round().to(torch.uint8) for x in (target, partner)]
            mirrored = next(
                flip for flip in (False, True) for n in range(12) if torch.equal(stored[0], as_it_may_be(n, flip))
            )
            number = next(n for n in range(12) if torch.equal(stored[0], as_it_may_be(n, mirrored)))
            assert torch.equal(stored[1], as_it_may_be(100 + number, mirrored))
            turned += mirrored
    assert 0 < turned < 24


def as_it_may_be(number, mirrored):
    found = pixels(image(number))
    return found.flip(-1) if mirrored else found


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source_path": None}, r"does not know where the other image .* data.source_path=FOLDER .* data.source_side="),
        ({"source_side": "top"}, "data.source_side=top must be one of left, right"),
        ({"suffixes": ["_a"]}, r"data.suffixes=\['_a'\] must be what the names of sources and of targets end in"),
        ({"suffixes": ["_a", "_b"]}, "data.suffixes is for pairs in one place"),
        ({"test_path": "target"}, "data.test_source_path is needed where data.test_path and data.source_path are set"),
        ({"num_classes": 3}, "data.num_classes=3, but paired has 0 classes"),
        ({"source_channels": 2}, r"data.channels=2 must be 1 \(grey\) or 3"),
    ],
)
def test_wrong_settings_are_named(tmp_path, settings, message):
    with pytest.raises(ConfigError, match=message):
        source("paired", **{**folders(tmp_path), **settings})


def test_halves_of_an_odd_width_are_named(tmp_path):
    write(tmp_path / "both", {f"{n}.png": encoded(image(n, (7, 3))) for n in range(4)})
    with pytest.raises(ConfigError, match=r"0.png is 7 pixels wide and has no two halves"):
        source("paired", path=str(tmp_path / "both"), source_side="left", image_size=3).load("train")
