"""Channels and sizes that the data have, and how they are brought to others where a setting says it."""

import logging
import re

import numpy as np
import pytest
import torch
from PIL import Image

from gan_framework.data.decoding import decode, measure
from gan_framework.data.pixels import Fit, fit, used
from gan_framework.errors import ConfigError
from tests.data.making import defaults, encoded, picture, pixels, source, write

AS_THEY_ARE = {"test_share": 0}
GREY, COLOUR = picture(0, (7, 5), "L"), picture(1, (7, 5))


def folder(root, **settings):
    return source("folder", **{**AS_THEY_ARE, "path": str(root), **settings})


def written(root, *images):
    return write(root, {f"{number}.png": encoded(image) for number, image in enumerate(images)})


# -- what the data have ----------------------------------------------------------------------------


def test_a_folder_has_the_size_and_the_colours_of_its_images(tmp_path):
    grey = folder(written(tmp_path / "grey", GREY, GREY.rotate(180)))
    assert grey.shape.sample == (1, 5, 7)
    assert torch.equal(grey.load("train").read([0])[0], pixels(GREY)) and grey.load("train").notes == ()
    both = folder(written(tmp_path / "both", GREY, COLOUR)).load("train")
    assert torch.equal(both.read([0, 1]), torch.stack([pixels(GREY).expand(3, -1, -1), pixels(COLOUR)]))
    assert both.notes == ("1 of 2 turned from grey to colour",)


def test_the_heads_of_files_are_read_once(tmp_path, own_cache, monkeypatch):
    root = written(tmp_path / "a", GREY, GREY)
    assert folder(root).shape.sample == (1, 5, 7)
    monkeypatch.setattr("gan_zoo.datasets.scanning.measure", None)
    assert folder(root).shape.sample == (1, 5, 7)


def test_images_of_several_sizes_are_named_with_what_to_type(tmp_path):
    sizes = [(7, 5)] * 4 + [(5, 7)] * 3 + [(6, 6)] * 2 + [(9, 9), (8, 9)]
    root = written(tmp_path / "a", *(picture(number, size) for number, size in enumerate(sizes)))
    said = (
        r"a has images of 5 sizes: 5x7 \(4\), 7x5 \(3\), 6x6 \(2\) and 2 other sizes .*data.image_size=64 .*crop=none"
    )
    with pytest.raises(ConfigError, match=said) as refusal:
        folder(root)
    assert "\n" not in str(refusal.value)
    other = written(tmp_path / "b", picture(0, (6, 6)))
    with pytest.raises(ConfigError, match=r"has images of 2 sizes: 5x7 \(1\), 6x6 \(1\)"):
        folder(written(tmp_path / "c", COLOUR), test_path=str(other))


@pytest.mark.parametrize("image", [GREY, COLOUR, GREY.convert("LA"), COLOUR.convert("P"), GREY.convert("1")])
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_head_tells_what_the_decoding_makes(tmp_path, image, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(image, exif=exif)
    (tmp_path / "a.png").write_bytes(content)
    with open(tmp_path / "a.png", "rb") as file:
        assert measure(file) == tuple(decode(content).shape)


@pytest.mark.parametrize("x", [(20, 5, 7), (20, 5, 7, 3), (20, 3, 5, 7), (20, 5, 7, 1)])
def test_arrays_have_their_own_size_and_colours(tmp_path, x):
    np.savez(tmp_path / "a.npz", x=np.random.default_rng(0).integers(0, 256, x, dtype=np.uint8))
    data = source("npz", path=f"{tmp_path}/a.npz", y=None, **AS_THEY_ARE)
    assert data.shape.sample == (3 if 3 in x else 1, 5, 7)
    grey = source("npz", path=f"{tmp_path}/a.npz", y=None, channels=1, image_size=[4, 9], **AS_THEY_ARE)
    changes = ("turned from colour to grey",) if 3 in x else ()
    assert grey.load("train").notes == (*changes, "cropped at the centre and resized (bicubic) from 5x7")


def test_a_size_that_floats_have_may_be_said(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((20, 1, 5, 7), np.float32))
    settings = {"path": f"{tmp_path}/a.npz", "y": None, "value_range": [-1, 1], **AS_THEY_ARE}
    assert source("npz", **settings, image_size=[5, 7]).shape == source("npz", **settings).shape
    with pytest.raises(ConfigError, match="used as they are"):
        source("npz", **settings, image_size=5)


# -- how they are brought to another -----------------------------------------------------------------


def test_a_crop_keeps_the_centre_in_the_wanted_proportions():
    assert [used((5, 7), size, "center") for size in ((4, 4), (8, 4), (5, 7), (5, 14))] == [
        *((5, 5), (5, 2), (5, 7), (2, 7)),
    ]
    assert used((5, 7), (4, 4), "none") == (5, 7)
    assert (used((5, 7), None, (3, 9)), used((5, 7), (4, 4), (3, 9))) == ((3, 7), (3, 3))
    ramp = torch.arange(35, dtype=torch.uint8).view(1, 1, 5, 7)
    assert torch.equal(fit(ramp, 3, 1, crop=(3, 3)), ramp[:, :, 1:4, 2:5])
    assert torch.equal(fit(ramp, (5, 3), 1), ramp[:, :, :, 2:5])
    assert fit(ramp, (5, 7), 1) is ramp


@pytest.mark.parametrize(("resize", "resample"), [("bicubic", Image.BICUBIC), ("bilinear", Image.BILINEAR)])
def test_the_filters_are_pillows_and_squeeze_the_whole_image_without_a_crop(resize, resample):
    image = picture(3, (40, 30))
    found = fit(pixels(image)[None], (16, 12), 3, crop="none", resize=resize)[0]
    assert (found.int() - pixels(image.resize((12, 16), resample)).int()).abs().max() <= 1
    nearest = fit(torch.arange(16, dtype=torch.uint8).view(1, 1, 4, 4), 8, 1, resize="nearest")
    assert torch.equal(nearest[0, 0, ::2, ::2].flatten(), torch.arange(16, dtype=torch.uint8))


@pytest.mark.parametrize("in_memory_mb", [10, 0])
def test_folders_take_the_settings(tmp_path, in_memory_mb):
    images = [picture(number, (9, 6 + number)) for number in range(3)]
    root = written(tmp_path / "a", *images)
    data = folder(root, image_size=[4, 6], crop="none", resize="bilinear", in_memory_mb=in_memory_mb)
    how = Fit((3, 4, 6), "none", "bilinear")
    expected = torch.cat([how(pixels(image)[None]) for image in images])
    assert torch.equal(data.load("train").read(range(3)), expected)
    assert data.load("train").notes == ("resized (bilinear) from 6x9, 7x9, 8x9",)
    cropped = folder(root, crop=6, in_memory_mb=in_memory_mb).load("train")
    assert torch.equal(cropped.read([0])[0], pixels(images[0])[:, :, 1:7])
    assert cropped.notes == ("cropped at the centre from 6x9, 7x9, 8x9",)


def test_what_has_the_shape_is_not_counted_among_the_changed():
    found = {(3, 5, 7): 2, (1, 4, 4): 3, (3, 4, 4): 4}
    assert Fit((3, 4, 4)).changes(found) == (
        "3 of 9 turned from grey to colour",
        "2 of 9 cropped at the centre and 2 of 9 resized (bicubic) from 5x7",
    )
    assert Fit((3, 4, 4)).changes({(3, 4, 4): 9}) == ()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"crop": "centre"}, r"data.crop=centre must be center, none, or how many pixels .*108 or \[height,width\]"),
        ({"crop": 0}, "data.crop=0"),
        ({"crop": [5, 0]}, r"data.crop=\[5,0\]"),
        ({"resize": "lanczos"}, "data.resize=lanczos must be one of bicubic, bilinear, nearest"),
        ({"image_size": 0}, r"data.image_size=0 must be a whole number from 1 to 4096, or two: \[height,width\]"),
        ({"image_size": [64, 5000]}, r"data.image_size=\[64,5000\]"),
        ({"image_size": [64]}, "image_size"),
        ({"channels": 2}, "data.channels=2"),
    ],
)
def test_wrong_settings_are_named(tmp_path, settings, said):
    with pytest.raises(ConfigError, match=said):
        folder(written(tmp_path / "a", COLOUR), **{"image_size": 4, **settings})


# -- what is said ------------------------------------------------------------------------------------


def test_the_start_of_a_run_says_what_is_converted(tmp_path, caplog, cache):
    from gan_framework.config.compose import compose
    from gan_framework.runs.launch import launch

    images = [picture(number, (9, 12) if number % 2 else (12, 9), "L") for number in range(20)]
    overrides = ["data=folder", f"data.path={written(tmp_path / 'photos', *images)}", "data.image_size=[8,10]"]
    overrides += ["data.test_share=0.3"]
    overrides += ["debug=smoke", "metrics=[]", "tracker=[]", "train.steps=1", "train.batch_size=8"]
    overrides += ["networks.generator.width=2", "networks.discriminator.width=2", "sample.count=4"]
    with caplog.at_level(logging.INFO):
        launch(compose(overrides), tmp_path / "run", overrides)
    done = r"cropped at the centre and resized \(bicubic\) from 9x12, 12x9, \d more as test"
    (line,) = (record.getMessage() for record in caplog.records if record.getMessage().startswith("data: "))
    assert re.fullmatch(rf"data: \d+ training samples of folder, 1x8x10, {done}", line), line
    config = (tmp_path / "run" / "config.yaml").read_text()
    assert config.count("image_size:\n") == 3 and "channels: 1\n" in config
    assert defaults("folder")["image_size"] is None
    with Image.open(tmp_path / "run" / "samples" / "step_0000001.png") as grid:
        assert grid.size == (4 * 12 + 2, 10 + 2)
