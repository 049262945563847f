"""BiGAN and ALI: their networks' sizes, who fools whom, and the game with a known optimum."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gan_framework.core.records import Batch, DataShape, Latent
from gan_framework.errors import ConfigError
from gan_zoo.discriminators.joint_conv import JointConvDiscriminator
from gan_zoo.discriminators.joint_mlp import JointMLPDiscriminator
from gan_zoo.priors.normal import Normal
from gan_zoo.systems.ali import ALIDiscriminator, ALIEncoder, ALIGenerator
from gan_zoo.systems.bigan import BiGAN, BiGANEncoder, BiGANGenerator
from tests.core.abilities import make
from tests.zoo.encoders.common import changed, count, images, on_meta, reached, small

BIGAN = ["prior.dim=3", *(f"networks.{name}.hidden=6" for name in ("generator", "encoder", "discriminator"))]


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        ((BiGANGenerator, 50, 28, 1, 1024, False), 1_902_592),
        ((BiGANGenerator, 50, 28, 1, 1024, True), 1_953_792),
        ((BiGANEncoder, 28, 1, 50, 1024), 1_902_592),
        ((ALIEncoder, 32, 3, 256, 32, 0.01), 3_315_488),
        ((ALIGenerator, 256, 32, 3, 32, 0.01, "sigmoid"), 1_767_584),
        ((ALIDiscriminator, 32, 3, 256, 32, 0.01, 0.2), 2_789_632 + 393_216 + 2_100_225),
    ],
)
def test_networks_are_as_large_as_the_papers(network, parameters):
    assert count(on_meta(*network)) == parameters


def test_the_maps_of_ali_have_the_papers_sizes():
    network = ALIDiscriminator(32, 3, 4, 2, 0.01, 0.0).eval()
    features = network.features(torch.zeros(1, 3, 32, 32), None, torch.zeros(1, 4))
    assert [feature.shape[-1] for feature in features] == [28, 13, 10, 4, 1, 1, 1]
    assert [feature.shape[1] for feature in features] == [2, 4, 8, 16, 32, 64, 64]


def test_single_inputs_of_every_layer_of_alis_discriminator_are_dropped():
    """In the authors' program images and latents are too, and no map as a whole."""
    torch.manual_seed(0)
    network = ALIDiscriminator(32, 1, 64, 8, 0.01, 0.5)
    seen = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    network(torch.ones(16, 1, 32, 32), None, torch.ones(16, 64))
    assert len(seen) == 5 + 2 + 2 + 1
    for x in seen:
        dropped = (x == 0).float().view(*x.shape[:2], -1)
        assert dropped.mean().item() == pytest.approx(0.5, abs=0.1)
        assert dropped.shape[2] == 1 or 0 < dropped.mean(2).min() < dropped.mean(2).max() < 1


@pytest.fixture(scope="module")
def bigan(compose):
    return small(compose, "bigan", *BIGAN)


def test_encoder_and_generator_minimise_the_discriminators_loss_with_the_sides_exchanged(bigan):
    bigan.networks.eval()
    batch = images()
    pair = bigan.meet(batch)["main"]
    judge = bigan.network("discriminator")
    real = judge(batch.samples, None, bigan.network("encoder")(batch.samples)).logits
    fake = judge(bigan.generate(pair.latent), None, pair.latent.z).logits
    losses = bigan.player("generator").evaluate({"main": pair})
    torch.testing.assert_close(losses["adversarial"], F.softplus(real).mean() + F.softplus(-fake).mean())
    told = bigan.player("discriminator").evaluate(bigan.meet(batch).detached())
    assert reached(told["adversarial"], bigan) == {"discriminator"}
    bigan.networks.train()


def test_each_half_of_the_loss_reaches_its_own_network(bigan):
    """Neither half is detached: real pairs train the encoder, generated ones the generator."""
    pair = bigan.meet(images())["main"]
    assert reached(pair.real_output.logits.sum(), bigan) == {"encoder", "discriminator"}
    assert reached(pair.fake_output.logits.sum(), bigan) == {"generator", "discriminator"}
    assert changed(bigan, lambda: bigan.player("generator").play(bigan.meet(images()))) == {"encoder", "generator"}


def test_the_latent_enters_the_discriminator_before_the_second_norm(bigan):
    """A latent that is the same for all samples is taken away by the batch norm, so that it is not seen."""
    judge, x = bigan.network("discriminator"), images().samples
    z = torch.ones(8, 3)
    torch.testing.assert_close(judge(x, None, z).logits, judge(x, None, 5 * z).logits, rtol=0, atol=1e-4)
    other = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    assert (judge(x, None, other).logits - judge(x, None, z).logits).abs().max() > 1e-3


@pytest.mark.parametrize("together", [True, False])
def test_the_norm_of_alis_discriminator_takes_both_sides_for_one_batch(compose, together):
    """Its program concatenates them; in passes of their own the norm takes away by how much they differ."""
    widths = [f"networks.{name}.width=2" for name in ("generator", "encoder", "discriminator")]
    changes = ["prior.dim=3", *widths, "networks.discriminator.dropout=0"]
    game = small(compose, "ali", *changes, f"game.together={str(together).lower()}", size=32)
    pair = game.meet(images(size=32))["main"]
    judge, sides = game.discriminator, ((pair.real, *pair.real_given), (pair.fake, *pair.fake_given))
    x, z = (torch.cat(both) for both in zip(*sides, strict=True))
    joined = judge(x, None, z).logits
    apart = torch.cat([judge(x, None, z).logits for x, z in sides])
    said = torch.cat([output.logits for output in pair.outputs])
    torch.testing.assert_close(said, joined if together else apart)
    assert (joined - apart).abs().max() > 1e-5
    torch.testing.assert_close(pair.detached().fake_output.logits, said[len(pair.real) :])


def test_a_variance_of_zero_makes_ali_bigan(compose):
    game = small(compose, "bigan", *BIGAN, "networks.encoder.latent_dim=6")
    with torch.no_grad():
        game.network("encoder").layers[-1].weight[3:] = 0
    outputs = game.network("encoder")(images().samples)
    torch.manual_seed(0)
    latent = game.encode(images().samples)
    torch.manual_seed(0)
    torch.testing.assert_close(latent.z, outputs[:, :3] + torch.randn(8, 3))  # a deviation of 1
    torch.testing.assert_close(game.code_of(images().samples), outputs[:, :3])


def test_an_encoder_of_another_size_is_refused(compose):
    with pytest.raises(ConfigError, match=r"networks.encoder makes 4 numbers of a sample: codes have 3"):
        small(compose, "bigan", *BIGAN, "networks.encoder.latent_dim=4")
    with pytest.raises(ConfigError, match="ALI's layers are made for images of 32x32"):
        small(compose, "ali")


class Scale(nn.Module):
    """x · s: a linear encoder or generator of one number."""

    def __init__(self, scale):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x, labels=None):
        return x * self.scale


S = 1.7


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_value_at_the_optimum_is_minus_log_4(sign, double):
    """With data N(0, s²), G(z) = ± s z and E its inverse both joint distributions are one: D trained stays at ½."""
    networks = {"generator": Scale(sign * S), "encoder": Scale(sign / S), "discriminator": quadratic()}
    game = make(BiGAN, networks, DataShape((1,)), prior=Normal(1))
    z = torch.randn(4000, 1, generator=torch.Generator().manual_seed(0))
    pair = game.pair(Batch(S * z * sign), Latent(z))
    torch.testing.assert_close(pair.real_given[0], z)
    value = -game.loss.discriminator(*pair.outputs)
    assert value.item() <= -math.log(4) + 1e-12  # the samples are the same on both sides, so no D does better
    with torch.no_grad():
        for parameter in game.network("discriminator").parameters():
            parameter.zero_()
    pair = game.pair(Batch(S * z * sign), Latent(z))
    assert -game.loss.discriminator(*pair.outputs).item() == pytest.approx(-math.log(4), abs=1e-12)
    (gradient,) = torch.autograd.grad(
        game.loss.discriminator(*pair.outputs), game.network("discriminator").output.weight
    )
    assert gradient.abs().max() < 1e-12  # and D has nothing to learn


def quadratic():
    return JointMLPDiscriminator(None, 1, 1, [8], "tanh", 1, 0.0, 0.5)


def test_a_judge_of_latents_says_what_it_misses():
    judge = JointConvDiscriminator(8, 1, 3, 2, "none", 4, 0.0)
    with pytest.raises(LookupError, match=r"latents \(N, 3\), and is given nothing"):
        judge(torch.zeros(2, 1, 8, 8))
    with pytest.raises(LookupError, match=r"and is given \(2, 5\)"):
        judge(torch.zeros(2, 1, 8, 8), None, torch.zeros(2, 5))


@pytest.mark.parametrize(
    "judge",
    [
        JointConvDiscriminator(8, 1, 3, 4, "none", 8, 0.0),
        JointMLPDiscriminator(8, 1, 3, [8, 8], "maxout", 5, 0.0, 0.1),
        JointMLPDiscriminator(8, 1, 3, [8], "relu", 1, 0.0, 0.1),
    ],
)
def test_a_joint_discriminator_looks_at_both(judge):
    x, z = torch.randn(4, 1, 8, 8, requires_grad=True), torch.randn(4, 3, requires_grad=True)
    of_x, of_z = torch.autograd.grad(judge(x, None, z).logits[0], (x, z))
    assert bool((of_x[0] != 0).any()) and bool((of_z[0] != 0).any())
    assert not of_x[1:].any() and not of_z[1:].any()


def test_maxout_of_the_toys_discriminator_has_its_pieces():
    """The 25-grid's D: three layers of 200 units with 5 pieces."""
    judge = on_meta(JointMLPDiscriminator, None, 2, 2, [200, 200, 200], "maxout", 5, 0.5, 0.1)
    assert count(judge) == 4 * 1000 + 1000 + 2 * (200 * 1000 + 1000) + 201
