"""Several generators in one, and what discriminators say of who made a sample: MAD-GAN and MGAN."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core import seeding
from gan_framework.core.pair import Pair
from gan_framework.core.records import Batch, DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_zoo.generators.mixture import MixtureGenerator
from gan_zoo.priors.components import Components, component_of, split
from gan_zoo.priors.normal import Normal
from gan_zoo.systems.mad_gan import TellGenerators, competition, real_against_all
from gan_zoo.systems.mgan import GeneratorIdentity, MGANDiscriminator, MGANGenerator
from tests.zoo.players.playing import CPU, DIGITS, PLANE, assert_same_game, batch, built, count, play

OF = {
    "name": "mlp", "image_size": None, "channels": 2, "hidden": [4], "activation": "relu", "output": "linear",
    "init": "he", "init_std": 0.1, "init_bias": 0.0,
}  # fmt: skip


def latents(k, n=9, dim=3):
    torch.manual_seed(0)
    return Components(dim + k, k, "normal").draw(n, CPU)


# -- the prior and the generator -------------------------------------------------------------------


def test_components_take_turns_and_the_first_is_drawn():
    first = set()
    for seed in range(20):
        latent = Components(6, 4, "uniform").draw(8, CPU, seeding.generator(seed, "prior"))
        noise, component = split(latent.z, 4)
        assert torch.equal(component, component_of(latent))
        assert component.bincount().tolist() == [2, 2, 2, 2]
        assert torch.equal((component - component[0]) % 4, torch.arange(8) % 4)
        assert noise.abs().max() <= 1
        first.add(int(component[0]))
    assert first == {0, 1, 2, 3}


def test_the_latents_of_one_component_are_those_of_its_noise():
    one, plain = (prior.draw(5, CPU, seeding.generator(0, "z")) for prior in (Components(3, 1, "normal"), Normal(3)))
    assert torch.equal(one.z, plain.z) and not one.code
    with pytest.raises(ConfigError, match="1 components is none"):
        Components(3, 1, "normal").vary(one, "component")


def test_the_same_noise_goes_to_each_component():
    prior, latent = Components(7, 4, "normal"), latents(4)
    varied = prior.vary(latent, "component")
    assert [component_of(one).unique().tolist() for one in varied] == [[0], [1], [2], [3]]
    assert all(torch.equal(split(one.z, 4)[0], split(latent.z, 4)[0]) for one in varied)


def test_each_component_makes_the_samples_of_its_latents_in_their_place():
    generator, latent = MixtureGenerator(6, 3, OF, []), latents(3, n=7)
    made = generator(latent.z)
    noise, component = split(latent.z, 3)
    for number in range(7):
        own = generator.component(int(component[number]))
        torch.testing.assert_close(made[number], own(noise[number : number + 1])[0])


def test_batch_norm_of_a_component_sees_its_own_samples():
    of = {"name": "dcgan", "image_size": 8, "channels": 1, "width": 2}
    generator, latent = MixtureGenerator(5, 2, of, []), latents(2, n=8)
    noise, component = split(latent.z, 2)
    made = generator(latent.z)
    torch.testing.assert_close(made[component == 1], generator.component(1)(noise[component == 1]))
    assert not torch.allclose(made[component == 1], generator.component(1)(noise)[component == 1])


def test_shared_parts_are_one_and_the_others_are_not():
    generator = MixtureGenerator(5, 2, OF, ["layers.0"])
    first, second = (generator.component(number).layers for number in range(2))
    assert first[0] is second[0]
    assert not torch.equal(first[2].weight, second[2].weight)
    assert count(generator) == 3 * 4 + 4 + 2 * (4 * 2 + 2)
    with pytest.raises(ValueError, match=r"shared='layers.9'.*it has layers"):
        MixtureGenerator(5, 2, OF, ["layers.9"])


def test_what_is_no_generator_is_named():
    with pytest.raises(ValueError, match=r"of.name='mpl': choose one of .*mlp"):
        MixtureGenerator(5, 2, {"name": "mpl"}, [])
    with pytest.raises(ValueError, match="the settings of mlp do not fit"):
        MixtureGenerator(5, 2, {"name": "mlp"}, [])


# -- MAD-GAN ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "least"), [(1, -1.38629), (2, -1.90954), (4, -2.50201), (8, -3.13949)])
def test_the_value_at_the_optimum(k, least):
    """Of the data against a mixture that is like them, apart or not: k log k - (k + 1) log(k + 1); of others more."""
    apart = torch.eye(k, dtype=torch.float64).repeat_interleave(2, dim=1) / 2
    real = apart.mean(0)

    def value(made):
        logit = real_against_all(torch.cat([real[None], made]).T.log())
        return float((real * F.logsigmoid(logit)).sum() + (made * F.logsigmoid(-logit)).sum())

    assert value(apart) == pytest.approx(least, abs=1e-5)
    assert value(real.expand(k, -1)) == pytest.approx(least, abs=1e-5)
    others = torch.linspace(1, 2, 2 * k, dtype=torch.float64).expand(k, -1)
    assert value(others / others.sum(1, keepdim=True)) > least + 1e-3


def told(scores, component):
    """A pair of samples made by components, of which a judge says scores."""

    def judge(x, labels=None):
        return DiscriminatorOutput(real_against_all(x), (), {"generator_id": x})

    code = F.one_hot(component, scores.shape[1] - 1).double()
    latent = latents(2)._replace(z=code, code={"component": code})
    return Pair(judge, Batch(scores), latent, scores)


def test_the_discriminator_pays_for_each_generator_by_the_formula():
    torch.manual_seed(0)
    scores = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    component = torch.tensor([0, 1, 2, 0, 1, 2])
    found = TellGenerators(3)(told(scores, component), None)
    p = scores.softmax(1)
    expected = -sum(p[component == i, i + 1].log().mean() for i in range(3))
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found, scores)[0], torch.autograd.grad(expected, scores)[0])


def test_the_sigmoid_of_the_logit_is_the_probability_of_a_real_sample():
    scores = torch.randn(5, 4, dtype=torch.float64)
    torch.testing.assert_close(real_against_all(scores).sigmoid(), scores.softmax(1)[:, 0])


MAD = ["experiment=mad_gan", "prior.dim=6", "networks.generator.of.hidden=[8]", "networks.generator.shared=[]"]


def test_each_side_of_madgan_minimises_the_formula(compose):
    game = built(compose, PLANE, *MAD, "networks.discriminator.hidden=[8]", "prior.components=2")
    meeting = game.meet(batch(PLANE, 8))
    pair = meeting["main"]
    p_real = game.discriminator(pair.real).heads["generator_id"].softmax(1)
    p_fake = game.discriminator(pair.fake).heads["generator_id"].softmax(1)
    component = component_of(pair.latent)
    noise, _ = split(pair.latent.z, 2)
    assert torch.equal(noise[::2], noise[1::2])  # both generators are given the same
    assert len(noise.unique(dim=0)) == 4
    losses = game.player("discriminator").evaluate(meeting)
    torch.testing.assert_close(losses["adversarial"], -p_real[:, 0].log().mean())
    expected = -sum(p_fake[component == i, i + 1].log().mean() for i in range(2))
    torch.testing.assert_close(losses["generators"], expected)
    torch.testing.assert_close(game.player("generator").evaluate(meeting)["adversarial"], -p_fake[:, 0].log().mean())


# -- MGAN ------------------------------------------------------------------------------------------


def test_the_counts_of_the_papers_networks():
    of = {"name": "mgan", "image_size": 32, "channels": 3, "width": 128}
    with torch.device("meta"):
        generator = MixtureGenerator(110, 10, of, ["shared"])
        critic = MGANDiscriminator(32, 3, 128)
    assert sum(count(net.first) for net in generator.nets) == 8_437_760
    assert count(generator.component(3).shared) == 4_106_371
    assert count(generator) == 8_437_760 + 4_106_371
    assert generator.component(0)(torch.zeros(4, 100, device="meta")).shape == (4, 3, 32, 32)
    assert critic(torch.zeros(4, 3, 32, 32, device="meta")).features[-1].shape == (4, 512, 4, 4)


def test_weights_begin_as_in_the_authors_program():
    torch.manual_seed(0)
    generator, critic = MGANGenerator(20, 8, 3, 32), MGANDiscriminator(8, 3, 32)
    for layer in [*generator.modules(), *critic.modules()]:
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            assert layer.weight.std().item() == pytest.approx(0.01 if layer is critic.output else 0.02, rel=0.2)
            assert not layer.bias.any()


def test_at_chance_the_cross_entropy_is_log_k():
    scores = torch.zeros(6, 3, dtype=torch.float64)
    code = F.one_hot(torch.tensor([0, 1, 2, 0, 1, 2])).double()
    latent = latents(3)._replace(code={"component": code})
    pair = Pair(
        lambda x, labels=None: DiscriminatorOutput(x[:, 0], (), {"generator_id": x}), Batch(scores), latent, scores
    )
    assert GeneratorIdentity()(pair, None).item() == pytest.approx(math.log(3))
    sure = Pair(
        lambda x, labels=None: DiscriminatorOutput(x[:, 0], (), {"generator_id": 99 * code}),
        Batch(scores),
        latent,
        scores,
    )
    assert GeneratorIdentity()(sure, None).item() == pytest.approx(0, abs=1e-9)


ONE = ["generator=mixture", "prior=components", "prior.components=1", "prior.dim=5", "networks.generator.of.hidden=[6]"]
PLAIN = ["prior=normal", "prior.dim=5", "networks.generator.hidden=[6]"]
SMALL = ["data.image_size=8", "discriminator=mlp"]


def test_mgan_of_one_generator_is_the_game_of_two_players(compose):
    first = built(compose, DIGITS, *SMALL, "game=mgan", *ONE)
    second = built(compose, DIGITS, *SMALL, "generator=mlp", *PLAIN)
    assert_same_game(first, second)


def test_a_game_of_several_generators_needs_their_prior(compose):
    with pytest.raises(ConfigError, match="game=mgan .* Normal name none: set prior=components"):
        built(compose, DIGITS, *SMALL, "generator=mlp", "game=mgan", *PLAIN)


def test_generators_are_paid_for_being_told_apart(compose):
    game = built(compose, DIGITS, *SMALL, *ONE, "prior.components=2", "prior.dim=7", "game=mgan", "game.diversity=0.25")
    meeting = game.meet(batch(DIGITS, 8))
    noise, component = split(meeting["main"].latent.z, 2)
    assert torch.equal(noise[::2], noise[1::2])  # both are given the same
    assert len(noise.unique(dim=0)) == 4
    assert component.bincount().tolist() == [4, 4]
    of_d, of_g = (game.player(name).evaluate(meeting)["identity"] for name in ("discriminator", "generator"))
    assert of_d.item() == pytest.approx(4 * of_g.item())
    play(game, range(2))
    assert game.player("generator").updates == 2


# -- MAD-GAN-Sim -----------------------------------------------------------------------------------


def test_generators_that_are_alike_have_to_be_better_than_each_other():
    """[D(G_j) + cos(ψ_i, ψ_j) - D(G_i)]+, with D of ½ and ¾."""
    logits = torch.tensor([[0.0], [math.log(3)]], dtype=torch.float64)
    east, north, west = ([1.0, 0.0], [0.0, 2.0], [-3.0, 0.0])

    def of(*features):
        return competition(logits, torch.tensor(features, dtype=torch.float64)[:, None]).item()

    assert of(east, east) == pytest.approx((0.25 + 1 + 1 - 0.25) / 2)
    assert of(east, north) == pytest.approx(0.25 / 2)  # only the worse one is behind
    assert of(east, west) == 0


def test_what_others_make_has_no_gradient():
    scores = torch.zeros(2, 1, dtype=torch.float64, requires_grad=True)
    features = torch.tensor([[[1.0, 0.0]], [[1.0, 1.0]]], dtype=torch.float64, requires_grad=True)
    competition(scores, features).backward()
    assert scores.grad.flatten().tolist() == pytest.approx([-0.125, -0.125])  # each raises its own
    own = features.detach()[0, 0].clone().requires_grad_()
    (F.cosine_similarity(own, features.detach()[1, 0], dim=0) / 2).backward()
    torch.testing.assert_close(features.grad[0, 0], own.grad)


def test_one_generator_has_nobody_to_compete_with(compose):
    with pytest.raises(ConfigError, match="prior.components must be at least 2"):
        built(compose, PLANE, *MAD, "game=mad_gan_sim", "prior.components=1")
