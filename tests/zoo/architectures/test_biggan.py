"""The networks of BigGAN and BigGAN-deep."""

import pytest
import torch
from torch.nn import functional as F

from gan_framework.registry import registry
from gan_zoo.discriminators.biggan import BigGANDiscriminator
from gan_zoo.discriminators.biggan_deep import BigGANDeepDiscriminator, DeepDownBlock
from gan_zoo.generators.biggan import BigGANGenerator
from gan_zoo.generators.biggan_deep import BigGANDeepGenerator, DeepUpBlock
from gan_zoo.residual import VectorBatchNorm2d
from gan_zoo.terms.orthogonal import Orthogonal
from tests.helpers.runs import make_run
from tests.zoo.architectures.helpers import classes, count, meta, noise

LAST = ("normal", False)


def biggan(latent_dim, num_classes, size, width, shared_dim, hierarchical, attention):
    g = meta(BigGANGenerator, latent_dim, num_classes, size, 3, width, shared_dim, hierarchical, attention, *LAST)
    return g, meta(BigGANDiscriminator, num_classes, size, 3, width, attention, *LAST)


def deep(latent_dim, num_classes, size, width, attention):
    g = meta(BigGANDeepGenerator, latent_dim, num_classes, size, 3, width, 128, attention, *LAST)
    return g, meta(BigGANDeepDiscriminator, num_classes, size, 3, width, attention, *LAST)


@pytest.mark.parametrize(
    ("build", "settings", "expected"),
    [
        (biggan, (128, 10, 32, 64, 0, False, None), (4_304_387, 4_207_361)),
        (biggan, (100, 1000, 64, 64, 128, True, 32), (31_866_116, 20_571_842)),
        (biggan, (120, 1000, 128, 96, 128, True, 64), (70_433_988, 87_982_370)),
        (deep, (128, 1000, 128, 128, 64), (50_244_484, 34_590_210)),
    ],
)
def test_the_published_networks_have_as_many_parameters(build, settings, expected):
    g, d = build(*settings)
    assert (count(g), count(d)) == expected
    images = g(noise(2, settings[0]), classes())
    assert images.shape == (2, 3, settings[2], settings[2])
    said = d(images, classes())
    assert said.logits.shape == (2,)
    assert said.features[-2].shape[2] == (8 if settings[2] == 32 else 4)


def test_the_deep_networks_for_32_pixels_have_as_many_parameters():
    g, d = deep(128, 10, 32, 64, 16)
    # The authors' table calls all maps of D 16 pixels large, so that there are two more attentions, of 8x8 maps.
    assert (count(g), count(d)) == (3_161_220, 897_412 - 2 * 81_921)


def test_the_average_for_larger_images_begins_late(compose):
    settings = {name: compose(f"experiment={name}")["strategy"]["ema"] for name in ("biggan", "biggan_64")}
    assert {name: (ema["decay"], ema["warmup"]) for name, ema in settings.items()} == {
        "biggan": (0.9999, 1_000),
        "biggan_64": (0.9999, 20_000),
    }


@pytest.mark.parametrize("size", [28, 512, (32, 64)])
def test_other_sizes_are_refused_with_those_that_can_be(size):
    for build in (
        lambda: BigGANGenerator(8, 10, size, 1, 4, 0, False, None, *LAST),
        lambda: BigGANDiscriminator(10, size, 1, 4, None, *LAST),
        lambda: BigGANDeepGenerator(8, 10, size, 1, 4, 8, None, *LAST),
        lambda: BigGANDeepDiscriminator(10, size, 1, 4, None, *LAST),
    ):
        with pytest.raises(ValueError, match="there are networks for square images of 32, 64, 128, 256"):
            build()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((10, 10, 32, 1, 4, 8, True, None, *LAST), "latent_dim=10: z is divided into 4 equal parts; set prior.dim=8"),
        ((8, 10, 32, 1, 4, 0, True, None, *LAST), "hierarchical=true: blocks read a part of z beside"),
        ((8, 10, 32, 1, 4, 0, False, None, "xavier", False), "init='xavier': choose orthogonal or normal"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        BigGANGenerator(*settings)


def test_a_part_of_z_changes_what_its_block_and_later_ones_see_alone():
    torch.manual_seed(0)
    g = BigGANGenerator(8, 10, 32, 1, 2, 4, True, None, "orthogonal", False).eval()
    inputs = []
    for block in g.blocks:
        block.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    z = torch.randn(2, 8, requires_grad=True)
    images = g(z, torch.tensor([3, 4]))
    for index, seen in enumerate([*inputs, images]):
        (gradient,) = torch.autograd.grad(seen.square().sum(), z, retain_graph=True)
        moved = gradient.unflatten(1, (4, 2)).abs().amax((0, 2)) > 0
        assert moved.tolist() == [part <= index for part in range(4)]


def test_in_the_deep_generator_all_of_z_reaches_every_norm():
    torch.manual_seed(0)
    g = BigGANDeepGenerator(3, 10, 32, 1, 4, 4, 16, "normal", False)
    seen = []
    for module in g.modules():
        if isinstance(module, VectorBatchNorm2d):
            module.register_forward_pre_hook(lambda _, given: seen.append(given[1]))
    z, y = torch.randn(2, 3), torch.tensor([3, 4])
    g(z, y)
    assert len(seen) == 4 * 6
    assert all(torch.equal(c, torch.cat([g.shared(y), z], 1)) for c in seen)


def test_deep_blocks_keep_the_first_channels_or_add_what_they_lack():
    torch.manual_seed(0)
    x = torch.randn(2, 8, 4, 4)
    up = DeepUpBlock(8, 4, True, lambda features: VectorBatchNorm2d(features, 3)).eval()
    down = DeepDownBlock(8, 12, True)
    for block in (up, down):
        torch.nn.init.zeros_(block.convolutions[3].weight)
        torch.nn.init.zeros_(block.convolutions[3].bias)
    assert torch.equal(up(x, torch.randn(2, 3)), F.interpolate(x[:, :4], scale_factor=2))
    pooled = F.avg_pool2d(x, 2)
    assert torch.equal(down(x), torch.cat([pooled, down.further(pooled)], 1))


def test_orthogonal_regularisation_is_zero_for_orthogonal_and_for_diagonal_weights(compose, tmp_path):
    run = make_run(compose("experiment=mlp", "debug=smoke", "networks.generator.hidden=[6]"), tmp_path)
    term, player = Orthogonal("off_diagonal"), run.game.player("generator")
    term.attach(run.game)
    pair = None  # it reads weights alone
    assert term(pair, player) > 1
    wide = [weight for weight in player.trained if weight.ndim > 1 and len(weight) <= weight.shape[1]]
    tall = [weight for weight in player.trained if weight.ndim > 1 and len(weight) > weight.shape[1]]
    assert wide and tall
    with torch.no_grad():
        for weight in tall:
            weight.zero_()
        for weight in wide:
            weight.copy_(3 * torch.eye(*weight.shape))
        assert term(pair, player) == 0
        for weight in wide:
            torch.nn.init.orthogonal_(weight)
        assert term(pair, player) < 1e-9


def test_the_program_s_networks_are_normalised_but_for_embeddings_in_g(compose, tmp_path):
    small = ["networks.generator.width=2", "networks.discriminator.width=2", "debug=smoke"]
    game = make_run(compose("experiment=biggan_64", *small), tmp_path).game
    plain = [name for name, p in game.generator.named_parameters() if p.ndim > 1 and "original" not in name]
    assert plain == ["shared.weight"]
    plain = [name for name, p in game.discriminator.named_parameters() if p.ndim > 1 and "original" not in name]
    assert plain == []
    assert [*game.player("generator").plans] == ["orthogonal"]


def test_the_networks_are_chosen_by_name():
    for kind in ("generators", "discriminators"):
        assert {"biggan", "biggan_deep"} <= {plugin.name for plugin in registry.installed(kind)}
