"""U-Net GAN: a logit for every pixel, and images that are pasted together."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.errors import ConfigError
from gan_zoo.discriminators.unet import UNetDiscriminator
from gan_zoo.systems.unet_gan import CutMix, mixed_losses, rectangles
from tests.helpers.runs import make_run
from tests.zoo.architectures.helpers import classes, count, meta, noise

SMALL = ["experiment=unet_gan", "debug=smoke", "networks.generator.width=2", "networks.discriminator.width=2"]


@pytest.mark.parametrize(
    ("size", "channels", "width", "parameters"),
    [(128, 3, 64, 31_481_602), (32, 3, 64, 1_982_722), (32, 1, 16, 124_418)],
)
def test_the_network_has_as_many_parameters_and_a_logit_for_every_pixel(size, channels, width, parameters):
    d = meta(UNetDiscriminator, size, channels, width, 0, "normal", False)
    assert count(d) == parameters
    assert d(noise(2, channels, size, size)).logits.shape == (2, 2, size, size)


@pytest.mark.parametrize("size", [16, 28, 48, (32, 64)])
def test_sizes_that_halve_without_a_rest_can_be(size):
    height, width = (size, size) if isinstance(size, int) else size
    d = meta(UNetDiscriminator, size, 1, 2, 10, "normal", True)
    assert d(noise(2, 1, height, width), classes()).logits.shape == (2, 2, height, width)


@pytest.mark.parametrize("size", [7, 33, (32, 36)])
def test_others_are_refused_with_those_that_can_be(size):
    with pytest.raises(ValueError, match="image_size=.*without a rest; 16, 28, 32, 48, 64, 128 and 256 can be"):
        UNetDiscriminator(size, 1, 2, 0, "normal", False)


def test_the_first_plane_is_the_encoder_s_logit_and_skips_reach_the_second():
    torch.manual_seed(0)
    d = UNetDiscriminator(16, 1, 4, 10, "orthogonal", False)
    x, y = torch.randn(3, 1, 16, 16), torch.arange(3)
    said = d(x, y)
    of_image = d.output(said.features[-1]).squeeze(1) + (d.projection(y) * said.features[-1]).sum(1)
    assert torch.equal(said.logits[:, 0], of_image[:, None, None].expand(3, 16, 16))
    with torch.no_grad():  # the way through the bottleneck is closed
        for block in (d.blocks[-1], d.decoder[0]):
            for layer in block.children():
                if hasattr(layer, "weight"):
                    layer.weight.zero_()
    assert d(x, y).logits[0, 1].std() > 0


def test_the_mean_over_logits_is_half_image_and_half_pixels():
    torch.manual_seed(0)
    d = UNetDiscriminator(16, 1, 4, 0, "orthogonal", False)
    logits = d(torch.randn(3, 1, 16, 16)).logits
    expected = 0.5 * F.softplus(-logits[:, 0, 0, 0]).mean() + 0.5 * F.softplus(-logits[:, 1]).mean()
    torch.testing.assert_close(F.softplus(-logits).mean(), expected)


def test_rectangles_are_whole_and_their_area_is_uniform():
    torch.manual_seed(0)
    masks = rectangles(2000, 16, 24)
    assert masks.shape == (2000, 1, 16, 24) and set(masks.unique().tolist()) == {0.0, 1.0}
    for mask in masks[:50, 0]:
        inside = mask if mask.any(1).sum() * mask.any(0).sum() == mask.sum() else 1 - mask
        assert inside.any(1).sum() * inside.any(0).sum() == inside.sum()
    area = masks.mean((1, 2, 3))
    assert area.mean().item() == pytest.approx(0.5, abs=0.02)
    assert area.std().item() == pytest.approx(math.sqrt(1 / 12), abs=0.02)


def test_all_real_pixels_give_the_real_loss_of_pixels_and_the_generated_loss_of_the_image():
    torch.manual_seed(0)
    real, fake = torch.randn(2, 3, 2, 4, 4, dtype=torch.float64)
    found = mixed_losses(real, real, fake, torch.ones(3, 1, 4, 4, dtype=torch.float64))
    torch.testing.assert_close(found, F.softplus(-real[:, 1]).mean() + F.softplus(real[:, 0]).mean())


def test_the_loss_of_pasted_images_is_the_paper_s():
    torch.manual_seed(0)
    mixed, real, fake = torch.randn(3, 2, 2, 2, 2, dtype=torch.float64)
    mask = (torch.rand(2, 1, 2, 2) < 0.5).double()
    expected = 0.0
    for n in range(2):
        for i in range(2):
            for j in range(2):
                m, p = mask[n, 0, i, j], torch.sigmoid(mixed[n, 1, i, j])
                expected -= (m * p.log() + (1 - m) * (1 - p).log()) / 8
                wanted = real[n, 1, i, j] if m else fake[n, 1, i, j]
                expected += (mixed[n, 1, i, j] - wanted) ** 2 / 8
                expected -= torch.sigmoid(-mixed[n, 0, i, j]).log() / 8
    torch.testing.assert_close(mixed_losses(mixed, real, fake, mask), expected)


def test_the_probability_rises_and_decides_what_is_computed(compose, tmp_path):
    game = make_run(compose(*SMALL, "strategy.cutmix.warmup=10", "strategy.cutmix.probability=1"), tmp_path).game
    player = game.player("discriminator")
    term = player.term("cutmix")
    assert [term.pastes(n) for n in (0, 5, 10, 20)] == [0, 0.5, 1, 1]
    pair = game.meet(next_batch(game), graph=False)["main"]
    plain = term(pair, player)
    assert torch.equal(plain, game.loss.discriminator(*pair.outputs))
    player.updates = 10
    asked = []
    judge = pair.judge
    pair.judge = lambda x, *given: asked.append(x) or judge(x, *given)
    assert not torch.equal(term(pair, player), plain)
    (mixed,) = asked
    of_either = (mixed == pair.real) | (mixed == pair.fake)
    assert of_either.all() and not torch.equal(mixed, pair.real)


def next_batch(game):
    from gan_framework.core.records import Batch

    return Batch(torch.rand(4, *game.data.sample) * 2 - 1, torch.arange(4))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["discriminator=dcgan", "strategy.spectral_norm.networks=null"], r"the shape \(\); choose discriminator=unet"),
        (["loss=hinge"], "cutmix judges pasted images by cross entropy, and the loss is Hinge"),
        (["strategy=[spectral_norm,ema,cutmix,diff_augment]"], "cutmix asks where pixels are real, and"),
    ],
)
def test_what_it_cannot_go_with_is_refused(changes, message, compose, tmp_path):
    with pytest.raises(ConfigError, match=message):
        make_run(compose(*SMALL, *changes), tmp_path)


def test_a_probability_is_one():
    with pytest.raises(ValueError, match="probability=0: it must be above 0"):
        CutMix(0, 10)
