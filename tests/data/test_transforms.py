"""torchvision's transforms of training images: reproducible, alike for what belongs together, refused by name."""

import pytest
import torch

from gan_framework.data.batches import Batches
from gan_framework.data.memory import InMemory
from gan_framework.data.sources import Sources
from gan_framework.errors import ConfigError
from tests.data.making import defaults

CROP = [{"name": "RandomCrop", "size": 8, "padding": 3}]
ROWS = torch.arange(1, 9, dtype=torch.uint8)
NUMBERED = (ROWS[:, None] * 16 + ROWS).expand(12, 1, 8, 8).contiguous()
"""Images whose every pixel says where it is."""


def batches(transform, data=None, **settings):
    return Batches(data or InMemory(NUMBERED), 6, 0, "cpu", transform=transform, **settings)


def as_bytes(samples):
    return ((samples + 1) * 127.5).round().byte()


def test_a_crop_is_a_shifted_image_with_black_beside_it():
    shifts = set()
    for image in as_bytes(batches(CROP)().samples)[:, 0]:
        down, right = next(
            (down, right)
            for down in range(-3, 4)
            for right in range(-3, 4)
            if torch.equal(image, shifted(NUMBERED[0, 0], down, right))
        )
        shifts.add((down, right))
    assert len(shifts) > 1


def shifted(image, down, right):
    padded = torch.nn.functional.pad(image, (3, 3, 3, 3))
    return padded[3 - down : 11 - down, 3 - right : 11 - right]


def test_a_batch_follows_from_its_number_alone_and_processes_share_it():
    whole, again = batches(CROP), batches(CROP)
    first, second = whole().samples, whole().samples
    again.drawn = 1
    assert torch.equal(again().samples, second) and not torch.equal(first, second)
    halves = [batches(CROP, rank=rank, world=2)().samples for rank in (0, 1)]
    assert torch.equal(torch.cat(halves), first)
    before = torch.random.get_rng_state()
    whole()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_an_extra_of_which_nobody_says_what_becomes_of_it_is_refused():
    data = InMemory(NUMBERED, extra={"mask": NUMBERED.clone(), "text": torch.zeros(12, 3)})
    with pytest.raises(ConfigError, match=r"transform: the dataset does not say .* extra 'mask' is changed together"):
        batches(CROP, data)
    assert batches(CROP, data, mirrors={"mask": False})().samples.shape == (6, 1, 8, 8)


def test_what_belongs_to_an_image_is_changed_alike():
    extra = {"image": NUMBERED.clone(), "mask": NUMBERED.float() / 7, "text": torch.randn(12, 5)}
    data = InMemory(NUMBERED, None, extra)
    mirrors = {"image": True, "mask": True, "text": False}
    batch = batches([*CROP, {"name": "RandomHorizontalFlip", "p": 0.5}], data, mirrors=mirrors)()
    assert torch.equal(batch.extra["image"], batch.samples)
    inside = batch.extra["mask"] > 0
    assert torch.equal((batch.extra["mask"] * 7).round()[inside], as_bytes(batch.samples)[inside].float())
    assert torch.equal(batch.extra["text"], extra["text"][batch.index])
    recoloured = batches([{"name": "RandomInvert", "p": 1.0}], data, mirrors=mirrors)()
    assert torch.equal(as_bytes(recoloured.extra["image"]), 255 - NUMBERED[:6])
    assert torch.equal(recoloured.extra["mask"], extra["mask"][recoloured.index])


@pytest.mark.parametrize(
    ("transform", "why"),
    [
        (
            [{"name": "RandomCorp", "size": 8}],
            "data.transform: torchvision.transforms.v2 has no transform RandomCorp: Ran",
        ),
        (["Normal"], "has no transform Normal"),
        ([{"size": 8}], "has no transform None"),
        ([{"name": "RandomCrop", "sides": 8}], "RandomCrop refuses {'sides': 8}"),
        ([{"name": "RandomCrop", "size": 4}], r"makes torch.uint8 \(1, 4, 4\) of samples, .* data.image_size says"),
        ([{"name": "RandomCrop", "size": 9}], "cannot change the samples"),
        ([{"name": "ConvertImageDtype"}], "makes torch.float32"),
    ],
)
def test_mistakes_name_the_setting(transform, why):
    with pytest.raises(ConfigError, match=why):
        batches(transform)


def test_only_images_are_transformed():
    with pytest.raises(ConfigError, match=r"data.transform changes 8-bit images, but the samples are torch.float32"):
        batches(CROP, InMemory(torch.zeros(12, 5)))


def test_it_is_a_setting_of_every_source_of_images():
    sources = Sources(defaults("digits") | {"transform": [{"name": "RandomInvert", "p": 1.0}]}, {})
    plain = Sources(defaults("digits"), {})
    inverted, images = (of.batches(8, 0, torch.device("cpu"))().samples for of in (sources, plain))
    assert torch.allclose(inverted, -images, atol=1e-6)


@pytest.mark.parametrize("transform", [5, "RandomCrop", {"name": "AutoAugment"}, [5], [None], [["RandomCrop"]]])
def test_what_is_no_list_of_transforms_is_refused(transform):
    with pytest.raises(ConfigError, match=r"must be a list of transforms, each a name or a mapping"):
        batches(transform)


def test_the_text_of_a_function_is_not_run(tmp_path):
    code = f"open({str(tmp_path / 'owned')!r}, 'w')"
    with pytest.raises(ConfigError, match="cannot change the samples: TypeError: 'str' object is not callable"):
        batches([{"name": "Lambda", "lambd": code}])
    assert not [*tmp_path.iterdir()]
