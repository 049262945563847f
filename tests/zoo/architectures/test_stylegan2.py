"""StyleGAN2's layers and networks, style mixing and truncation."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape, Latent
from gan_framework.errors import ConfigError
from gan_zoo.blur import Enlarge, Reduce
from gan_zoo.discriminators.stylegan2 import StyleGAN2Discriminator
from gan_zoo.equalised import EqualisedConv, EqualisedLinear, GroupDeviation, PixelNorm
from gan_zoo.generators.stylegan2 import StyleGAN2Generator
from gan_zoo.modulated import ModulatedConv
from gan_zoo.samplers.style_truncation import StyleTruncation
from gan_zoo.terms.path_length import path_lengths
from tests.zoo.architectures.counting import parameters

SHAPE = DataShape((1, 8, 8), 10)
SMALL = (
    *("data.image_size=8", "prior.dim=5", "train.batch_size=4", "tracker=[]", "metrics=[]"),
    *("networks.generator.base=32", "networks.generator.style_size=4", "networks.discriminator.base=32"),
)


@pytest.mark.parametrize(
    ("size", "base", "mapping", "generator", "discriminator"),
    [
        (32, 32768, 2, 19_947_539, 21_507_073),
        (64, 16384, 2, 22_243_608, 23_407_361),
        (64, 32768, 8, 27_032_600, 26_488_833),
        (256, 32768, 8, 30_034_338, 28_864_129),
        (1024, 32768, 8, 30_370_060, 29_012_513),
    ],
)
def test_the_networks_have_the_published_sizes(size, base, mapping, generator, discriminator):
    assert parameters(StyleGAN2Generator, 512, None, size, 3, base, 512, 512, mapping) == generator
    assert parameters(StyleGAN2Discriminator, None, size, 3, base, 512, True, 4, 8) == discriminator


def test_the_plain_discriminator_has_the_published_size():
    assert parameters(StyleGAN2Discriminator, None, 32, 3, 32768, 512, False, 32, 8) == 20_720_641


@pytest.mark.parametrize("size", [8, 28, 64, [20, 36]])
def test_images_of_every_size_are_made_and_judged(size):
    generator = StyleGAN2Generator(5, 3, size, 1, 64, 8, 6, 2)
    discriminator = StyleGAN2Discriminator(3, size, 1, 64, 8, True, 4, 2)
    labels = torch.tensor([0, 2])
    images = generator(torch.randn(2, 5), labels)
    assert images.shape[1:] == (1, *((size, size) if isinstance(size, int) else size))
    assert discriminator(images, labels).logits.shape == (2,)


@pytest.mark.parametrize(("size", "layers"), [(32, 8), (64, 10), (256, 14), (1024, 18)])
def test_there_are_as_many_styles_as_published(size, layers):
    assert StyleGAN2Generator(4, None, size, 1, 16, 4, 4, 1).layers == layers


# -- layers ---------------------------------------------------------------------------------------


def test_demodulated_filters_have_norm_1():
    torch.manual_seed(0)
    layer = ModulatedConv(4, 3, 5, 3).double()
    style = torch.rand(2, 3, dtype=torch.float64) + 0.5
    filters = layer.weight[None] * layer.scale * style[:, None, :, None, None]
    demodulated = filters * layer.demodulation(style)[:, :, None, None, None]
    norms = demodulated.square().sum((2, 3, 4)).sqrt()
    torch.testing.assert_close(norms, torch.ones_like(norms), atol=1e-4, rtol=0)


@pytest.mark.parametrize("enlarge", [False, True])
def test_scaled_maps_are_scaled_weights(enlarge):
    """The batch as one grouped convolution, a group for each sample, as the paper writes it."""
    torch.manual_seed(0)
    layer = ModulatedConv(4, 3, 5, 3, enlarge=enlarge).double()
    x, w = torch.randn(2, 3, 6, 6).double(), torch.randn(2, 4).double()
    filters = layer.weight[None] * layer.scale * layer.affine(w)[:, None, :, None, None]
    filters = filters / (filters.square().sum((2, 3, 4), keepdim=True) + 1e-8).sqrt()
    joined = x.reshape(1, 6, 6, 6)
    if enlarge:
        up = F.conv_transpose2d(joined, filters.transpose(1, 2).reshape(6, 5, 3, 3), stride=2, groups=2)
        line = torch.tensor([1.0, 3, 3, 1]).double() / 8
        kernel = (4 * line[:, None] * line).expand(10, 1, 4, 4)
        wanted = F.conv2d(up, kernel, padding=1, groups=10)
    else:
        wanted = F.conv2d(joined, filters.reshape(10, 3, 3, 3), padding=1, groups=2)
    torch.testing.assert_close(layer(x, w), wanted.reshape(2, 5, *wanted.shape[2:]), atol=1e-6, rtol=1e-5)


def test_a_demodulated_layer_does_not_see_the_size_of_its_style():
    torch.manual_seed(0)
    layer, plain = ModulatedConv(4, 3, 5, 3).double(), ModulatedConv(4, 3, 5, 1, demodulate=False).double()
    x, style = torch.randn(2, 3, 6, 6).double(), torch.rand(2, 3).double() + 0.5
    torch.testing.assert_close(layer.in_style(x, 7 * style), layer.in_style(x, style), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(plain.in_style(x, 7 * style), 7 * plain.in_style(x, style))


def test_the_filters_keep_a_constant_inside_and_are_each_others_transpose():
    constant = torch.ones(1, 2, 8, 8)
    torch.testing.assert_close(Enlarge()(constant)[:, :, 2:-2, 2:-2], torch.ones(1, 2, 12, 12))
    torch.testing.assert_close(Reduce()(constant)[:, :, 1:-1, 1:-1], torch.ones(1, 2, 2, 2))
    x, y = torch.randn(1, 2, 8, 8), torch.randn(1, 2, 16, 16)
    torch.testing.assert_close((Enlarge()(x) * y).sum(), 4 * (x * Reduce()(y)).sum(), rtol=1e-4, atol=1e-4)


def test_equalised_layers_scale_unit_inputs_by_their_gain():
    torch.manual_seed(0)
    x = torch.randn(64, 32, 8, 8)
    assert EqualisedConv(32, 64, 3)(x)[:, :, 1:-1, 1:-1].var().item() == pytest.approx(2, rel=0.1)
    assert EqualisedConv(32, 64, 1, gain=1.0)(x).var().item() == pytest.approx(1, rel=0.1)
    slow = EqualisedLinear(32, 64, rate=0.01)
    assert slow(x[:, :, 0, 0]).var().item() == pytest.approx(1, rel=0.15)
    assert slow.weight.std().item() == pytest.approx(100, rel=0.05)


def test_pixel_norm_gives_a_mean_square_of_1():
    x = 5 * torch.randn(3, 16, 4, 4)
    torch.testing.assert_close(PixelNorm()(x).square().mean(1), torch.ones(3, 4, 4))


def test_the_deviation_is_that_of_the_samples_own_group():
    x = torch.zeros(4, 1, 1, 1)
    x[0], x[2] = 1.0, 3.0  # one group of two samples that lie 2 apart, and one of equal ones
    seen = GroupDeviation(2)(x)[:, 1, 0, 0]
    torch.testing.assert_close(seen, torch.tensor([1.0, 1e-4, 1.0, 1e-4]))
    assert GroupDeviation(4)(torch.randn(6, 2, 3, 3)).shape == (6, 3, 3, 3)  # groups of 3


# -- the generator ----------------------------------------------------------------------------------


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return StyleGAN2Generator(5, None, 16, 1, 64, 8, 6, 2)


def test_noise_is_without_effect_at_first_then_new_in_training_alone(generator):
    z = torch.randn(2, 5)
    assert torch.equal(generator(z), generator(z))
    for module in generator.modules():
        if hasattr(module, "strength"):
            module.strength.data.fill_(0.5)
    assert not torch.equal(generator(z), generator(z))
    generator.eval()
    assert torch.equal(generator(z), generator(z))


def test_mapped_and_synthesised_is_generated(generator):
    z = torch.randn(3, 5)
    generator.eval()
    w = generator.map(z)
    assert w.shape == (3, 6, 6)
    assert torch.equal(generator.synthesise(w), generator(z))


def test_the_mean_style_follows_in_training_alone(generator):
    z = torch.randn(3, 5)
    generator.eval()(z)
    assert not generator.mean.any()
    generator.train()(z)
    torch.testing.assert_close(generator.mean, 0.005 * generator.map(z)[:, 0].mean(0))


def test_mixed_styles_are_one_latents_then_the_others(generator):
    torch.manual_seed(1)
    w, other = torch.zeros(400, 6, 6), torch.ones(400, 6, 6)
    generator.mixing = 0.75
    mixed = generator.mixed(w, other)[:, :, 0]
    assert torch.equal(mixed, mixed.sort(1).values)  # zeros, then ones
    lengths = mixed.sum(1)
    assert not mixed[:, 0].any()
    assert (lengths > 0).float().mean().item() == pytest.approx(0.75, abs=0.07)
    assert lengths.unique().tolist() == [0, 1, 2, 3, 4, 5]


def test_truncation_to_0_makes_one_image_and_to_1_changes_none(generator):
    for _ in range(3):
        generator(torch.randn(4, 5))
    generator.eval()
    w = generator.map(torch.randn(3, 5))
    at_mean = generator.synthesise(generator.truncated(w, 0.0))
    assert torch.equal(at_mean[0], at_mean[1])
    torch.testing.assert_close(generator.truncated(w, 1.0), w)
    some = generator.truncated(w, 0.0, layers=2)
    assert torch.equal(some[:, 2:], w[:, 2:])
    assert torch.equal(some[0, :2], some[1, :2])


def test_path_lengths_of_a_linear_map_are_its_norm():
    """E ‖Aᵀ y‖² = ‖A‖², over unit noise; y is divided by √(H·W)."""
    torch.manual_seed(0)
    a = torch.randn(16, 3, dtype=torch.float64)
    w = torch.randn(20_000, 3, dtype=torch.float64).requires_grad_()
    lengths = path_lengths((w @ a.t()).unflatten(1, (1, 4, 4)), w)
    assert lengths.square().mean().item() == pytest.approx(a.square().sum().item() / 16, rel=0.03)


def test_path_lengths_of_several_layers_are_the_root_of_the_mean_square():
    torch.manual_seed(0)
    a = torch.randn(2, 16, 3, dtype=torch.float64)
    w = torch.randn(20_000, 2, 3, dtype=torch.float64).requires_grad_()
    lengths = path_lengths(torch.einsum("nld,lpd->np", w, a).unflatten(1, (1, 4, 4)), w)
    assert lengths.square().mean().item() == pytest.approx(a.square().sum().item() / 2 / 16, rel=0.03)


def test_the_gradient_of_the_scores_gradient_is_true():
    torch.manual_seed(0)
    discriminator = StyleGAN2Discriminator(None, 8, 1, 16, 2, True, 2, 1).double()
    x = torch.randn(2, 1, 8, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: discriminator(x).logits, x, fast_mode=True)


# -- games ------------------------------------------------------------------------------------------


@pytest.fixture
def game(compose):
    return lambda *overrides: build_game(compose(*overrides, *SMALL), SHAPE, torch.device("cpu"))


def test_penalties_are_due_in_some_updates_alone(game):
    played = game("experiment=stylegan2", "terms.path_length.every=2", "terms.r1.every=4")
    torch.manual_seed(0)
    due = [
        {name.partition("/")[2] for name in played.step(lambda: Batch(torch.rand(4, 1, 8, 8), torch.arange(4)))}
        for _ in range(5)
    ]
    assert [i for i, names in enumerate(due) if "path_length" in names] == [0, 2, 4]
    assert [i for i, names in enumerate(due) if "r1" in names] == [0, 4]


def test_the_sampler_truncates_the_averaged_generator(game):
    played = game("experiment=stylegan2")
    torch.manual_seed(0)
    played.step(lambda: Batch(torch.rand(4, 1, 8, 8), torch.arange(4)))
    latent, random = Latent(torch.randn(3, 5)), torch.Generator()
    one = StyleTruncation(0.0, None).draw(played, latent, random)
    assert torch.equal(one[0], one[1])
    torch.testing.assert_close(StyleTruncation(1.0, None).draw(played, latent, random), played.sample(latent))


@pytest.mark.parametrize("experiment", ["stylegan2", "stylegan2_ada"])
def test_rates_and_betas_are_those_of_lazy_penalties(compose, experiment):
    """In the authors' program also where G has no penalty, as for CIFAR."""
    config = compose(f"experiment={experiment}")
    for player, term, every in (("generator", "path_length", 4), ("discriminator", "r1", 16)):
        assert config["terms"].get(term, {"every": every})["every"] == every
        share = every / (every + 1)
        assert config["optimizer"][player]["lr"] == pytest.approx(2.5e-3 * share, rel=1e-6)
        assert config["optimizer"][player]["betas"] == pytest.approx([0.0, math.pow(0.99, share)], abs=1e-6)


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["prior=uniform", "generator=stylegan2"], "style_mixing draws normal latents, and the prior is Uniform"),
        (["prior=normal", "generator=mlp"], "style_mixing needs a generator with a style for each layer"),
    ],
)
def test_what_cannot_be_mixed_is_refused(compose, overrides, reason):
    config = compose("model=mlp", "strategy=[style_mixing]", *overrides, "data.image_size=8", "tracker=[]")
    with pytest.raises(ConfigError, match=reason):
        build_game(config, SHAPE, torch.device("cpu"))
