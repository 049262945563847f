"""Sobolev GAN, UOTM and RWGAN: critics of transport and their constraints, against integrals and finite differences."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import nn

from gan_framework.build import build_game
from gan_framework.core.contracts.networks import Discriminator
from gan_framework.core.judge import Judge
from gan_framework.core.pair import Pair
from gan_framework.core.precision import Precision
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.strategies.mirror_map import mirrored
from gan_zoo.strategies.weight_clipping import WeightClipping
from tests.helpers.independent import Critic, finite_differences, image_game, images
from tests.zoo.losses.test_truths import FAKE, REAL


def build(name, kind="losses", **settings):
    return registry.build(kind, {"name": name, **settings})


def said(logits):
    return DiscriminatorOutput(torch.tensor(np.array(logits), dtype=torch.float64))


# -- Sobolev GAN ------------------------------------------------------------------------------------


class Integral(Discriminator):
    """f(x) = x ∫₀¹ ψ(x s) ds, ψ = (F_Q - F_P) / μ of two unit Gaussians: Sobolev GAN's best critic on a line."""

    def __init__(self, delta):
        super().__init__()
        self.delta = delta
        self.output = nn.Identity()
        self.scale = nn.Parameter(torch.tensor(1.0))
        nodes, weights = np.polynomial.legendre.leggauss(80)
        self.nodes, self.weights = torch.tensor((nodes + 1) / 2), torch.tensor(weights / 2)

    def slope(self, x):
        p, q = torch.special.ndtr(x), torch.special.ndtr(x - self.delta)
        density = (torch.exp(-(x**2) / 2) + torch.exp(-((x - self.delta) ** 2) / 2)) / np.sqrt(8 * np.pi)
        return (q - p) / density

    def features(self, x, labels=None):
        return (self.scale * (x * (self.weights * self.slope(x * self.nodes)).sum(1, keepdim=True)),)


def quantiles(n, delta=0.0):
    return torch.tensor(stats.norm.ppf((np.arange(n) + 0.5) / n) + delta)[:, None]


@pytest.mark.parametrize(("delta", "distance"), [(0.5, 0.5001939486), (1.0, 1.0048520651), (2.0, 2.0921607686)])
def test_the_sobolev_distance_on_a_line(delta, distance):
    p, q = stats.norm(0, 1), stats.norm(delta, 1)
    squared, _ = integrate.quad(lambda x: (p.cdf(x) - q.cdf(x)) ** 2 / (p.pdf(x) / 2 + q.pdf(x) / 2), -9, 9 + delta)
    assert np.sqrt(squared) == pytest.approx(distance)

    critic = Integral(delta)
    critic.scale.data /= distance
    judge = Judge("discriminator", critic, Precision("fp32", torch.device("cpu")))
    x = quantiles(2000)
    pair = Pair(judge, Batch(x), Latent(x), quantiles(2000, delta))
    term = build("sobolev", "terms", rho=0.1)
    term.multiplier.fill_(7.0)
    # The constraint holds, so that neither the multiplier nor the penalty costs anything.
    assert term(pair, None).item() == pytest.approx(0, abs=0.02)
    means = pair.real_output.logits.mean() - pair.fake_output.logits.mean()
    assert means.item() == pytest.approx(distance, rel=2e-3)


@pytest.mark.parametrize("differentiated", [True, False])
def test_the_sobolev_term_and_its_gradient(differentiated):
    game = image_game()
    pair = game.meet(images())["main"].detached()
    term = build("sobolev", "terms", rho=0.5)
    term.multiplier.fill_(0.3)
    if differentiated:
        pair.differentiate(term.differentiates)
    value = term(pair, game.player("discriminator"))
    critic = Critic(game)

    def constrained(values):
        squares = [(critic.input_gradient(values, side.numpy()) ** 2).sum(1).mean() for side in (pair.real, pair.fake)]
        excess = sum(squares) / 2 - 1
        return 0.3 * excess + 0.25 * excess**2

    assert value.item() == pytest.approx(constrained(critic.values))
    found = critic.gradient_of(value)
    np.testing.assert_allclose(found, finite_differences(constrained, critic.values), rtol=1e-5, atol=1e-8)


def test_the_multiplier_follows_the_update_that_was_made():
    game = image_game(build("wasserstein"), start=False)
    player = game.player("discriminator")
    term = build("sobolev", "terms", rho=0.1)
    player.add_term("sobolev", term)
    game.start(torch.device("cpu"))
    meeting = game.meet(images()).detached()
    critic = Critic(game)
    squares = [(critic.input_gradient(critic.values, x) ** 2).sum(1).mean() for x in (meeting["main"].real.numpy(),)]
    squares += [(critic.input_gradient(critic.values, meeting["main"].fake.numpy()) ** 2).sum(1).mean()]
    measured = player.play(meeting)
    assert measured["discriminator/sobolev"].item() == pytest.approx(0.05 * (sum(squares) / 2 - 1) ** 2)
    assert term.figures()["multiplier"].item() == pytest.approx(0.1 * (sum(squares) / 2 - 1))
    term.follow(torch.tensor(1.5))
    assert term.multiplier.item() == pytest.approx(0.1 * (sum(squares) / 2 - 1) + 0.05)


# -- UOTM -------------------------------------------------------------------------------------------

COST = np.array([0.1, 0.4])


@pytest.mark.parametrize(("divergence", "d"), [("kl", -0.3643298754), ("softplus", -0.6014666322)])
def test_the_semi_dual_on_the_example(divergence, d):
    loss = build("semi_dual_transport", divergence=divergence)
    assert loss.discriminator(said(REAL), said(FAKE - COST)).item() == pytest.approx(d)
    assert loss.generator(said(FAKE - COST)).item() == pytest.approx(0.9)


def test_all_mass_without_cost_is_a_wasserstein_critic():
    balanced, critic = build("semi_dual_transport", divergence="balanced"), build("wasserstein")
    assert balanced.discriminator(said(REAL), said(FAKE)).item() == critic.discriminator(said(REAL), said(FAKE)).item()
    assert balanced.generator(said(FAKE)).item() == critic.generator(said(FAKE)).item()


@pytest.mark.parametrize("divergence", ["kl", "softplus", "balanced"])
def test_less_mass_is_left_out_for_nothing_at_a_score_of_zero(divergence):
    logits = torch.zeros(3, requires_grad=True)
    loss = build("semi_dual_transport", divergence=divergence)
    value = loss.fake_half(DiscriminatorOutput(logits))
    assert value.item() == pytest.approx(0)
    (gradient,) = torch.autograd.grad(value, logits)
    np.testing.assert_allclose(gradient, 1 / 3)


@pytest.fixture
def transport(compose):
    def built(*overrides):
        torch.set_default_dtype(torch.float32)
        config = compose("experiment=uotm", "strategy.transport_cost.weight=0.3", *overrides)
        return build_game(config, DataShape((2,), 8), torch.device("cpu"))

    return built


@pytest.mark.parametrize("graph", [True, False])
def test_generated_samples_pay_for_their_way(transport, graph):
    game = transport()
    pair = game.meet(Batch(torch.randn(6, 2)), graph=graph)["main"]
    real, fake = pair.outputs
    potential = game.discriminator(torch.cat([pair.real, pair.fake])).logits
    cost = 0.3 * (pair.latent.z - pair.fake).square().sum(1)
    torch.testing.assert_close(real.logits, potential[:6])
    torch.testing.assert_close(fake.logits, potential[6:] - cost)
    torch.testing.assert_close(pair.fake_output.logits, fake.logits)
    if graph:
        with_cost = torch.autograd.grad(-fake.logits.sum(), [*game.generator.parameters()], retain_graph=True)
        by_hand = torch.autograd.grad((cost - potential[6:]).sum(), [*game.generator.parameters()])
        for found, expected in zip(with_cost, by_hand, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_penalties_and_past_judges_see_pairs_that_pay(transport):
    game = transport()
    pair = game.meet(Batch(torch.randn(6, 2)), graph=False)["main"]
    pair.differentiate(("real", "fake"))
    x = pair.fake.clone().requires_grad_()
    (expected,) = torch.autograd.grad(game.discriminator(x).logits.sum(), x)
    torch.testing.assert_close(pair.input_gradient("fake"), expected)  # of the potential, without the cost
    state = {name: 2 * value.detach() for name, value in game.discriminator.named_parameters()}
    ahead = pair.judged_by(pair.judge.with_state(state))
    cost = 0.3 * (pair.latent.z - pair.fake).square().sum(1)
    torch.testing.assert_close(ahead.fake_output.logits, ahead.judge(pair.fake).logits - cost)
    again = pair.another(pair.latent)
    torch.testing.assert_close(again.fake_output.logits, pair.fake_output.logits)


def test_a_cost_that_does_not_fit_is_refused(transport):
    with pytest.raises(ConfigError, match="transport_cost.*samples have 2 values, latents 3"):
        transport("prior.dim=3")
    with pytest.raises(ConfigError, match="transport_cost is the cost of loss=semi_dual_.*and the loss is Hinge"):
        transport("loss=hinge")
    with pytest.raises(Exception, match="divergence='js'"):
        build("semi_dual_transport", divergence="js")
    with pytest.raises(Exception, match="weight=0"):
        build("transport_cost", "strategies", weight=0.0)


# -- RWGAN ------------------------------------------------------------------------------------------


def test_the_bregman_cost_of_probabilities_is_their_divergence():
    x, y = torch.tensor([[0.2, 0.8]]), torch.tensor([[0.5, 0.5]])
    divergence = (x * (x / y).log()).sum().item()
    # φ(x) - φ(y) - <∇φ(y), x - y> with the map that the strategy applies, of samples 2u - 1.
    gradient = mirrored(2 * y - 1, floor=1e-9)
    by_definition = (x * x.log()).sum() - (y * y.log()).sum() - (gradient * (x - y)).sum()
    assert by_definition.item() == pytest.approx(divergence) == pytest.approx(0.1927447570)


def mapped(start=True, **settings):
    game = image_game(build("wasserstein"), start=False)
    build("mirror_map", "strategies", **settings).apply(game)
    if start:
        game.start(torch.device("cpu"))
    return game


@pytest.mark.parametrize("both", [False, True])
def test_d_sees_generated_samples_through_the_map(both):
    plain, game = image_game(build("wasserstein")), mapped(floor=0.1, both=both)
    torch.manual_seed(4)
    expected = plain.meet(images())["main"]
    torch.manual_seed(4)
    pair = game.meet(images())["main"]
    through = [1 + np.log(np.maximum((of.detach().numpy() + 1) / 2, 0.1)) for of in (expected.real, expected.fake)]
    np.testing.assert_allclose(pair.fake.detach(), through[1])
    np.testing.assert_allclose(pair.real, through[0] if both else expected.real)
    critic = Critic(game)
    np.testing.assert_allclose(pair.fake_output.logits.detach(), critic.score(critic.values, through[1]).ravel())
    torch.testing.assert_close(game.sample(expected.latent), expected.fake.detach().float())  # samples are G's own


def test_the_euclidean_map_is_wgan():
    plain, game = image_game(build("wasserstein")), mapped(potential="euclidean")
    for played in (plain, game):
        torch.manual_seed(4)
        played.step(images)
    for (name, found), expected in zip(game.named_parameters(), plain.parameters(), strict=True):
        assert torch.equal(found, expected), name


def test_samples_without_bounds_are_not_mapped(compose):
    torch.set_default_dtype(torch.float32)
    config = compose("experiment=mixture_2d", "strategy=[mirror_map]")
    with pytest.raises(ConfigError, match="mirror_map takes the logarithm of samples in"):
        build_game(config, DataShape((2,), 8), torch.device("cpu"))
    for name, value in (("potential", "l2"), ("floor", 0.0)):
        with pytest.raises(Exception, match=f"{name}="):
            build("mirror_map", "strategies", **{name: value})


def test_weights_are_clipped_to_unequal_bounds():
    game = image_game(build("wasserstein"), start=False)
    WeightClipping(None, 0.05, -0.01).apply(game)
    game.start(torch.device("cpu"))
    game.step(images)
    values = torch.cat([parameter.flatten() for parameter in game.discriminator.parameters()])
    assert values.min().item() == -0.01 and values.max().item() == 0.05
    assert WeightClipping(None, 0.05).lower == -0.05
    with pytest.raises(ValueError, match="lower=0.1: it must be below bound=0.05"):
        WeightClipping(None, 0.05, 0.1)
