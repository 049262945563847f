"""Pairs and domains that are made: their truth, what is given, and that it does not depend on how it is read."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from gan_framework.data import Batches
from gan_framework.data.sources import shape_of
from gan_framework.errors import ConfigError
from gan_zoo.datasets.degraded import Degraded
from gan_zoo.datasets.digit_domains import MAPS, DigitDomains
from gan_zoo.datasets.digits import Digits
from gan_zoo.datasets.tasks import TASKS, hues, kept_lines
from tests.data.making import encoded, source, write

SLOW_TO_MAKE = 24
"""Images that are looked at."""


def pairs(task, **settings):
    channels = {"channels": 3} if task == "colour" else {}
    return source("digit_pairs", **{"task": task, "image_size": 8, **channels, **settings})


def looked_at(task, **settings):
    data = pairs(task, **settings).load("test")
    return data.read(range(SLOW_TO_MAKE)), data.read_extra(range(SLOW_TO_MAKE))


@pytest.fixture(scope="module")
def digits():
    return Digits(8, 1, 10).load("test").read(range(SLOW_TO_MAKE))


@pytest.mark.parametrize("task", TASKS)
def test_what_is_known_before_any_image_is_read_is_true(task):
    made = pairs(task)
    data = made.load("test")
    found = shape_of(made, data)
    assert found.extra == made.shape.extra
    assert tuple(data.read([0]).shape[1:]) == made.shape.sample
    assert data.read_extra([0]).keys() == (made.mirrors.keys() if task != "rotate" else {"source"})


def test_quarter_turns_are_not_mirrored_as_they_would_become_turns_to_the_other_side():
    half, quarter = (pairs("rotate", amount=amount) for amount in (180, 90))
    mirrored = Batches(half.load("test"), 50, 0, "cpu", flip=True, mirrors=half.mirrors)()
    assert torch.equal(mirrored.extra["source"], mirrored.samples.rot90(2, (2, 3)))
    with pytest.raises(ConfigError, match="does not say whether its extra 'source' is mirrored"):
        Batches(quarter.load("test"), 50, 0, "cpu", flip=True, mirrors=quarter.mirrors)


def test_targets_are_the_images_and_classes_stay(digits):
    made = pairs("negative").load("test")
    assert torch.equal(made.read(range(SLOW_TO_MAKE)), digits)
    assert torch.equal(made.labels, Digits(8, 1, 10).load("test").labels)


def test_negatives_and_turns_and_means_are_exact(digits):
    assert torch.equal(looked_at("negative")[1]["source"], 255 - digits)
    assert torch.equal(looked_at("rotate", amount=90)[1]["source"], digits.rot90(1, (2, 3)))
    means = F.avg_pool2d(digits.double(), 4)
    assert (looked_at("superres")[1]["source"].double() - means).abs().max() <= 0.5001
    assert torch.equal(looked_at("grey")[1]["source"], digits)


def test_a_hole_is_black_and_the_rest_is_as_it_was(digits):
    extra = looked_at("inpaint", amount=0.5)[1]
    hole = extra["mask"].bool()
    assert hole.flatten(1).sum(1).tolist() == [16] * SLOW_TO_MAKE
    assert torch.equal(extra["source"], torch.where(hole, torch.zeros_like(digits), digits))
    assert len({tuple(mask.flatten().tolist()) for mask in hole}) > 1


def test_the_spectrum_of_measured_rows_is_the_image_s(digits):
    extra = looked_at("fourier", amount=0.5)[1]
    spectrum = torch.fft.fft2(digits.double() / 127.5 - 1)
    given = torch.fft.fft2(extra["source"].double())
    assert (given - spectrum * extra["mask"]).abs().max() < 1e-4
    assert torch.equal(looked_at("fourier", amount=1.0)[1]["mask"], torch.ones_like(extra["mask"]))


@pytest.mark.parametrize("height", [8, 9, 32])
def test_rows_are_measured_with_those_of_the_opposite_frequency(height):
    kept = kept_lines(height, 0.4)
    assert kept[0] and 0 < kept.sum() < height
    assert torch.equal(kept, kept[(-torch.arange(height)) % height])


def test_rain_only_brightens_and_noise_has_its_deviation(digits):
    rain = looked_at("rain")[1]["source"]
    assert (rain >= digits).all() and (rain > digits).any()
    extra = looked_at("noise", amount=0.05, image_size=16)
    between = (extra[0] > 64) & (extra[0] < 192)
    error = (extra[1]["source"].double() - extra[0].double())[between] / 255
    assert float(error.std()) == pytest.approx(0.05, rel=0.15)


def test_a_blur_keeps_the_mean_of_what_is_flat_and_heat_is_monotone():
    from gan_zoo.datasets.tasks import blurred, thermal

    flat = torch.full((1, 9, 9), 0.3)
    assert (blurred(flat, 1.5) - 0.3).abs().max() < 1e-6
    levels = torch.linspace(0, 1, 11)
    warm = [float(thermal(torch.full((1, 9, 9), float(level)), 1.0, None)["source"][0, 4, 4]) for level in levels]
    assert warm == sorted(warm) and warm[0] == 0 and warm[-1] == pytest.approx(1)


def test_edges_are_where_it_is_steep():
    from gan_zoo.datasets.tasks import edges

    step = torch.zeros(1, 5, 6)
    step[:, :, 3:] = 1
    assert edges(step, 0.5, None)["source"][0].tolist() == [[0, 0, 1, 1, 0, 0]] * 5


def test_hues_are_those_of_the_classes():
    made, labels = looked_at("colour")[0], pairs("colour").load("test").labels[:SLOW_TO_MAKE]
    grey = Digits(8, 1, 10).load("test").read(range(SLOW_TO_MAKE))
    expected = grey.double() * hues(10).double()[labels][:, :, None, None]
    assert (made.double() - expected).abs().max() <= 0.5001
    assert len({tuple(hue.tolist()) for hue in hues(10)}) == 10


@pytest.mark.parametrize("task", ["rain", "inpaint", "noise"])
def test_chance_follows_from_the_position_alone(task):
    data = pairs(task).load("test")
    again = Degraded(Digits(8, 1, 10).load("test"), TASKS[task], TASKS[task].usual, "test")
    for name, tensor in again.read_extra([5, 2]).items():
        assert torch.equal(tensor, data.read_extra([5, 2])[name])
    other = pairs(task).load("train").read_extra([5])["source"]
    assert not torch.equal(other, data.read_extra([5])["source"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task": "melt"}, "data.task=melt must be one of edges, grey, colour"),
        ({"task": "negative", "amount": 1}, "data.amount=1 has no effect: data.task=negative has no amount"),
        ({"task": "superres", "amount": 1.5}, "must be a whole number from 2 to 16: pixels to a side"),
        ({"task": "superres", "amount": 3}, "images of 8x8 pixels are no multiple of it"),
        ({"task": "colour", "channels": 1}, "data.channels=1: the targets of data.task=colour have 3"),
        ({"task": "edges", "source_channels": 3}, "data.source_channels=3: the sources of data.task=edges have 1"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        source("digit_pairs", **{"image_size": 8, **settings})


@pytest.mark.parametrize("in_memory_mb", [64, 0])
def test_a_folder_and_what_is_left_of_its_images(tmp_path, in_memory_mb):
    images = [np.random.default_rng(n).integers(0, 256, (8, 12, 3), dtype=np.uint8) for n in range(10)]
    write(tmp_path, {f"{n}.png": encoded(Image.fromarray(image)) for n, image in enumerate(images)})
    settings = {"path": str(tmp_path), "task": "superres", "amount": 2, "in_memory_mb": in_memory_mb}
    made = source("degraded", **settings, test_share=0.3, source_channels=None)
    assert (made.shape.sample, made.shape.extra) == ((3, 8, 12), {"source": (3, 4, 6)})
    data = made.load("train")
    assert len(data) + len(made.load("test")) == 10
    target, given = data.read([1]), data.read_extra([1])["source"]
    assert (given.double() - F.avg_pool2d(target.double(), 2)).abs().max() <= 0.5001
    batch = Batches(data, 4, 0, "cpu", flip=True, mirrors=made.mirrors)()
    assert (batch.extra["source"] - F.avg_pool2d(batch.samples, 2)).abs().max() <= 0.51 / 127.5


# -- domains --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAPS)
def test_no_digit_is_in_both_domains_and_each_knows_the_other_side(name):
    a, b = (DigitDomains(name, domain, 8, None, None) for domain in "ab")
    for split in ("train", "test"):
        in_a, in_b = a.load(split), b.load(split)
        assert tuple(in_a.read([0]).shape[1:]) == a.shape.sample and tuple(in_b.read([0]).shape[1:]) == b.shape.sample
        truth = in_a.read_truth(range(len(in_a)))
        assert torch.equal(truth, MAPS[name](in_a.read(range(len(in_a))), in_a.labels))
        back = in_b.read_truth(range(len(in_b)))
        assert torch.equal(in_b.read(range(len(in_b))), MAPS[name](back, in_b.labels))
        digits = Digits(8, 1, 10).load(split)
        both = sorted(bytes(x.flatten().tolist()) for x in torch.cat([in_a.read(range(len(in_a))), back]))
        assert both == sorted(bytes(x.flatten().tolist()) for x in digits.read(range(len(digits))))


def test_no_network_is_told_the_truth():
    data = DigitDomains("negative", "a", 8, None, None).load("train")
    assert not data.read_extra([0])
    assert not Batches(data, 4, 0, "cpu")().extra
    assert Digits(8, 1, 10).load("train").read_truth([0]) is None


def test_the_option_has_both_domains(compose):
    config = compose("data=digit_domains", "data.map=colour", "data.channels=3", "data.image_size=16")
    assert (config["data"]["domain"], config["sources"]["a"]["domain"]) == ("b", "a")
    assert (config["sources"]["a"]["image_size"], config["sources"]["a"]["map"]) == (16, "colour")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"map": "melt"}, "data.map=melt must be one of negative"),
        ({"domain": "c"}, "data.domain=c must be a or b"),
        ({"channels": 3}, "data.channels=3: the images of data.domain=b have 1 channels"),
        ({"map": "lowres", "image_size": 10}, "data.image_size=10 must be a multiple of 4"),
    ],
)
def test_wrong_settings_of_domains_are_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        source("digit_domains", **settings)


def test_a_turn_by_less_than_a_quarter_is_back_after_its_opposite():
    from gan_zoo.datasets.tasks import turned

    rows, columns = torch.meshgrid(torch.arange(17.0), torch.arange(17.0), indexing="ij")
    blob = torch.exp(-((rows - 8) ** 2 + (columns - 5) ** 2) / 8)[None]
    assert (turned(turned(blob, 30), -30) - blob).abs().max() < 0.1
    moved = turned(blob, 30)[0]
    centre = [(moved * axis).sum() / moved.sum() - 8 for axis in (rows, columns)]
    assert math.hypot(*(float(side) for side in centre)) == pytest.approx(3, abs=0.1)
    assert math.degrees(math.atan2(-float(centre[0]), float(centre[1]))) == pytest.approx(180 + 30 - 360, abs=2)
