"""What `experiment=auto` chooses of facts, against the table of StyleGAN2-ADA's program where it is from there."""

import pytest

from gan_framework.api import ConfigError, DataShape, Facts
from gan_zoo.choosing import ForImages, made_at


def chosen(device, sample, size=10_000, **more):
    """All settings that are chosen of a run, in one mapping."""
    choices = ForImages().of_run(Facts(DataShape(sample, size=size), device, **more))
    assert all(choice.why for choice in choices)
    return {key: value for choice in choices for key, value in choice.settings.items()}


@pytest.mark.parametrize(
    ("side", "processes", "batch", "gamma", "half_life", "base", "rate"),
    [  # of the function that makes `--cfg=auto` up
        (32, 1, 32, 0.0064, 10_000, 16384, 0.0025),
        (64, 1, 32, 0.0256, 10_000, 16384, 0.0025),
        (64, 4, 64, 0.0128, 20_000, 16384, 0.0025),
        (256, 1, 16, 0.8192, 5_000, 16384, 0.0025),
        (512, 1, 8, 6.554, 2_500, 32768, 0.0025),
        (1024, 1, 4, 52.43, 1_250, 32768, 0.002),
        (1024, 8, 32, 6.554, 10_000, 32768, 0.002),
    ],
)
def test_on_a_gpu_it_is_the_programs_auto(side, processes, batch, gamma, half_life, base, rate):
    found = chosen("cuda", (3, side, side), processes=processes)
    assert found["generator"] == found["discriminator"] == "stylegan2"
    assert found["train.batch_size"] == batch
    assert found["terms.r1.weight"] == gamma and found["terms.r1.every"] == 16
    assert found["strategy.ema.half_life"] == half_life and found["strategy.ema.ramp"] == 0.05
    assert found["networks.generator.base"] == found["networks.discriminator.base"] == base
    assert found["networks.discriminator.group"] == 4
    assert found["optimizer.generator.lr"] == pytest.approx(rate * 4 / 5, rel=1e-6)
    assert found["optimizer.discriminator.lr"] == pytest.approx(rate * 16 / 17, rel=1e-6)
    assert found["optimizer.discriminator.betas"] == [0.0, pytest.approx(0.99 ** (16 / 17), abs=1e-6)]
    assert found["strategy"] == ["style_mixing", "ada", "ema"]
    assert found["strategy.ada.policy"] == ["geometry", "colours"]
    assert found["train.steps"] * batch == pytest.approx(25_000_000, rel=1e-4)


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_elsewhere_it_is_small_with_the_same_heuristics(device):
    found = chosen(device, (3, 64, 64), size=500)
    assert found["generator"] == found["discriminator"] == "dcgan"
    assert found["networks.discriminator.norm"] == "none"
    assert (found["train.batch_size"], found["terms.r1.weight"], found["strategy.ema.half_life"]) == (
        32,
        0.0256,
        10_000,
    )
    assert found["strategy"] == ["ada", "ema"]
    assert chosen(device, (3, 64, 64), size=50_000)["strategy"] == ["ema"]


def test_what_follows_from_the_batch_follows_from_a_typed_one():
    found = chosen("cpu", (1, 32, 32), batch_size=8)
    assert (found["train.batch_size"], found["terms.r1.weight"], found["strategy.ema.half_life"]) == (8, 0.0256, 2_500)


def test_a_batch_is_not_larger_than_the_data():
    assert chosen("cpu", (3, 32, 32), size=9)["train.batch_size"] == 8
    assert chosen("cuda", (3, 32, 32), size=9, processes=2)["train.batch_size"] == 8


@pytest.mark.parametrize(
    ("device", "sample", "size"),
    [
        ("cpu", (3, 64, 64), None),
        ("cpu", (3, 30, 500), None),
        ("cpu", (3, 768, 1024), [64, 80]),
        ("cpu", (3, 1024, 512), [128, 64]),
        ("cpu", (3, 512, 512), 64),
        ("cuda", (3, 256, 256), None),
        ("cuda", (3, 3000, 2000), [384, 256]),
    ],
)
def test_images_are_brought_to_a_size_that_the_device_has_time_for(device, sample, size):
    choices = ForImages().of_data(Facts(DataShape(sample), device))
    assert [choice.settings for choice in choices] == ([] if size is None else [{"data.image_size": size}])


def test_images_of_several_sizes_are_brought_to_one():
    assert [choice.settings for choice in ForImages().of_data(Facts(None, "cpu"))] == [{"data.image_size": 64}]


def test_of_odd_sizes_it_is_said_what_fits():
    choices = ForImages().of_run(Facts(DataShape((3, 33, 47), size=100), "cpu"))
    said = choices[-1]
    assert not said.settings and made_at(33, 47) == (40, 48) and made_at(32, 40) == (32, 40)
    assert said.why == "33x47 is made as 40x48 and cut; 'data.image_size=[32,40]' would leave nothing to cut"
    assert made_at(20, 36) == (20, 36) and chosen("cpu", (1, 20, 36))


def test_what_nothing_fits_is_refused():
    with pytest.raises(ConfigError, match="images of 6x40 pixels are too small, 8 on each side .*image_size=16"):
        chosen("cpu", (1, 6, 40))
    with pytest.raises(ConfigError, match=r"chooses for images \(C, H, W\), and the samples are 20: name an experim"):
        ForImages().of_data(Facts(DataShape((20,)), "cpu"))
