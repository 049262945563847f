"""ADA's geometric and colour augmentations."""

import math

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError
from gan_zoo import warping
from gan_zoo.strategies.augmentation import Augment

NEVER, ALWAYS = torch.tensor(0.0), torch.tensor(1.0)


@pytest.fixture
def pictures():
    torch.manual_seed(0)
    return torch.rand(40, 3, 8, 6, dtype=torch.float64) * 2 - 1


@pytest.mark.parametrize("name", warping.PIPELINES)
@pytest.mark.parametrize("channels", [1, 3])
def test_with_the_probability_0_images_stay_as_they_are_to_the_bit(pictures, name, channels):
    x = pictures[:, :channels]
    assert torch.equal(warping.PIPELINES[name](x, NEVER), x)
    assert not torch.equal(warping.PIPELINES[name](x, ALWAYS), x)


def test_maps_of_pixels_move_them_where_they_say():
    x = torch.arange(12.0, dtype=torch.float64).view(1, 1, 3, 4)
    one, zero = torch.ones(1).double(), torch.zeros(1).double()
    torch.testing.assert_close(warping.resampled(x, warping.scaled(-one, None)), x.flip(3))
    right = warping.resampled(x, warping.moved(one, zero))
    torch.testing.assert_close(right, x[..., [1, 0, 1, 2]])  # mirrored at the border
    torch.testing.assert_close(warping.resampled(x, warping.moved(zero, -one)), x[:, :, [1, 2, 1]])
    half = warping.resampled(x, warping.moved(one / 2, zero))
    torch.testing.assert_close(half[..., 1:], (x[..., 1:] + x[..., :-1]) / 2)
    square = torch.arange(9.0, dtype=torch.float64).view(1, 1, 3, 3)
    torch.testing.assert_close(warping.resampled(square, warping.turned(one * math.pi / 2)), square.rot90(1, (2, 3)))


def test_a_picture_is_shrunk_about_its_centre():
    x = torch.zeros(1, 1, 9, 9, dtype=torch.float64)
    x[..., 4, 6] = 1
    half = torch.full((1,), 0.5).double()
    shrunk = warping.resampled(x, warping.scaled(1 / half, 1 / half))
    assert shrunk[0, 0, 4, 5] == 1 and x[0, 0, 4, 5] == 0


def test_each_part_has_its_probability():
    """Nothing happens to the colours of (1 - p)² (1 - p/2) of the grey images."""
    torch.manual_seed(0)
    x = torch.rand(4000, 1, 2, 2)
    same = (warping.colours(x, torch.tensor(0.3)) == x).flatten(1).all(1).float().mean().item()
    assert same == pytest.approx(0.7**2 * 0.85, abs=0.03)
    same = (warping.half_colours(x, torch.tensor(0.6)) == x).flatten(1).all(1).float().mean().item()
    assert same == pytest.approx(0.7**2 * 0.85, abs=0.03)
    square = torch.rand(4000, 1, 5, 5)
    # Mirrored ½ p, turned ¾ p, shifted p but for the 0.8² that round to no pixel, four more with p.
    same = (warping.geometry(square, torch.tensor(0.2)) == square).flatten(1).all(1).float().mean().item()
    assert same == pytest.approx(0.9 * 0.85 * (1 - 0.2 * 0.36) * 0.8**4, abs=0.02)


def test_hue_and_saturation_leave_grey_and_luma_as_they_are():
    torch.manual_seed(0)
    eye, grey = torch.eye(3).double(), torch.full((3, 3), 1 / 3).double()
    angle = torch.rand(5).double()
    turned = warping.about_grey(angle, eye, grey)
    torch.testing.assert_close(turned.sum(2), torch.ones(5, 3).double())
    torch.testing.assert_close(turned.transpose(1, 2) @ turned, eye.expand(5, 3, 3))
    torch.testing.assert_close(turned.diagonal(dim1=1, dim2=2).sum(1), 1 + 2 * angle.cos())
    third = warping.about_grey(torch.full((1,), 2 * math.pi / 3).double(), eye, grey)[0]
    torch.testing.assert_close(third, eye.roll(1, 0))  # red becomes green, green blue


def test_brightness_and_contrast_are_spread_as_published():
    torch.manual_seed(0)
    x = torch.tensor([-0.5, 0.5]).expand(20_000, 1, 1, 2)
    changed = warping.colours(x, ALWAYS)[:, 0, 0]
    contrast = (changed[:, 1] - changed[:, 0]).abs().log2()
    assert contrast.mean().item() == pytest.approx(0, abs=0.02)
    assert contrast.std().item() == pytest.approx(0.5, rel=0.03)
    brightness = changed.sum(1) / 2 / (changed[:, 1] - changed[:, 0])
    assert brightness.std().item() == pytest.approx(0.2, rel=0.03)


def test_gradients_and_their_gradients_pass_through(pictures):
    x = pictures[:2].clone().requires_grad_()

    def both(x):
        torch.manual_seed(1)
        return Augment(["geometry", "colours"], 1.0)(x).square()

    assert torch.autograd.gradgradcheck(both, x, fast_mode=True)


def test_half_precision_keeps_its_type_and_places():
    torch.manual_seed(0)
    x = torch.rand(8, 3, 32, 32).bfloat16()
    torch.manual_seed(1)
    coarse = warping.geometry(x, ALWAYS)
    torch.manual_seed(1)
    fine = warping.geometry(x.float(), ALWAYS)
    assert coarse.dtype == torch.bfloat16
    torch.testing.assert_close(coarse.float(), fine, atol=0.01, rtol=0.01)


SMALL = ("data.image_size=8", "networks.generator.width=4", "networks.discriminator.width=4", "train.batch_size=4")


def r3gan(compose, *overrides, channels=1):
    config = compose("experiment=r3gan", *SMALL, f"data.channels={channels}", "tracker=[]", "metrics=[]", *overrides)
    return build_game(config, DataShape((channels, 8, 8), 10), torch.device("cpu"))


def test_the_probability_rises_along_a_cosine(compose):
    game = r3gan(compose, "train.steps=2", "strategy.burn_in.levels=null")
    (transform,) = game.transforms
    seen = []
    for _ in range(3):
        seen.append(float(transform.p))
        game.step(lambda: Batch(torch.rand(4, 1, 8, 8), torch.arange(4)))
    assert seen == pytest.approx([0, 0.275, 0.55])


@pytest.mark.parametrize(
    ("overrides", "channels", "reason"),
    [
        (
            ["~strategy.diff_augment"],
            1,
            "augmentation changes the probability of diff_augment, which is not in the list",
        ),
        ([], 2, "half_colours needs images of one or three channels, and they have 2"),
        (["strategy.burn_in.augmentation=2"], 1, "augmentation=2: it must lie between 0 and 1"),
        (["strategy.diff_augment.p=-1"], 1, "p=-1: it must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_augmented_so_is_refused(compose, overrides, channels, reason):
    with pytest.raises((ConfigError, ValueError), match=reason):
        r3gan(compose, *overrides, channels=channels)
