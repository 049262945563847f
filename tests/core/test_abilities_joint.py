"""A judge of (x, z) is asked about both, and what depends on the encoder reaches the encoder."""

import pytest
import torch
from torch.nn import functional as F

from gan_zoo.strategies.feature_matching import FeatureMatching, FeatureMatchingTerm
from gan_zoo.strategies.unrolled import Unrolled
from gan_zoo.terms.dragan import Dragan
from gan_zoo.terms.gradient_penalty import GradientPenalty
from gan_zoo.terms.zero_centered import R1, R2
from tests.core.abilities import drawn, flat, gradient, gradient_by_differences, make, noise
from tests.helpers.independent import double_precision  # noqa: F401 (a fixture)

from gan_probe.bigan import BiGAN, Encoder  # isort: skip
from gan_probe.layers import Dense, DenseJudge  # isort: skip

N, RATE = 4, 0.3


def bigan(edit=None):
    torch.manual_seed(0)
    networks = {
        "generator": Dense(2, [2], 3, None),
        "encoder": Encoder(2, 2),
        "discriminator": DenseJudge(4, 1, 3),
    }
    rate = {"optimizer": lambda parameters: torch.optim.SGD(parameters, lr=RATE)}
    return make(BiGAN, networks, (2,), edit=edit, **rate)


class Plain:
    """The same game in formulas, with the networks' parameters read when it is asked."""

    def __init__(self, game, batch, latent):
        self.x, self.z = batch.samples, latent.z
        judge = game.network("discriminator")
        self.encoder = game.network("encoder").layer
        self.layers = game.network("generator").layers
        self.judge = [p.detach().clone() for p in (*judge.inner.parameters(), *judge.output.parameters())]

    def code(self):
        return self.x @ self.encoder.weight.T + self.encoder.bias

    def made(self):
        first, _, last = self.layers
        return torch.tanh(self.z @ first.weight.T + first.bias) @ last.weight.T + last.bias

    @staticmethod
    def features(judge, x, z):
        return torch.tanh(torch.cat([x, z], 1) @ judge[0].T + judge[1])

    def score(self, judge, x, z):
        return self.features(judge, x, z) @ judge[2][0] + judge[3]

    def slope(self, x, z):
        """The gradient of the score with respect to x at a fixed z, by the chain rule."""
        a, _, v, _ = self.judge
        return ((1 - self.features(self.judge, x, z) ** 2) * v[0]) @ a[:, :2]

    def loss(self, judge):
        real, fake = self.score(judge, self.x, self.code()), self.score(judge, self.made(), self.z)
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def swapped(self, judge):
        real, fake = self.score(judge, self.x, self.code()), self.score(judge, self.made(), self.z)
        return F.softplus(-fake).mean() + F.softplus(real).mean()

    def r1(self):
        return 0.5 * self.slope(self.x, self.code()).square().sum(1).mean()

    def r2(self):
        return 0.5 * self.slope(self.made(), self.z).square().sum(1).mean()

    def gradient_penalty(self):
        torch.manual_seed(7)
        t = torch.rand(N)[:, None]
        x, z = self.x + t * (self.made() - self.x), self.code() + t * (self.z - self.code())
        return (self.slope(x, z).norm(dim=1) - 1).square().mean()

    def dragan(self):
        torch.manual_seed(7)
        away = 0.5 * self.x.std() * torch.rand_like(self.x)
        t = torch.rand(N)[:, None]
        return (self.slope(self.x + t * away, self.code()).norm(dim=1) - 1).square().mean()

    def feature_matching(self):
        real = self.features(self.judge, self.x, self.code()).mean(0)
        return (real - self.features(self.judge, self.made(), self.z).mean(0)).square().sum()

    def unrolled(self, steps):
        judge = self.judge
        for _ in range(steps):
            judge = [p.detach().requires_grad_() for p in judge]
            slopes = torch.autograd.grad(self.loss(judge), judge)
            judge = [(p - RATE * slope).detach() for p, slope in zip(judge, slopes, strict=True)]
        return self.swapped(judge)


def meet(game, batch, latent):
    game.latent_for = lambda _: latent
    return game.meet(batch)


TERMS = {
    "r1": (R1(), "encoder"),
    "r2": (R2(), "generator"),
    "gradient_penalty": (GradientPenalty(one_sided=False), "encoder generator"),
    "dragan": (Dragan(0.5), "encoder"),
    "feature_matching": (FeatureMatchingTerm(0), "encoder generator"),
}


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("passes", ["of its own", "of the loss"])
def test_a_term_of_a_joint_judge_has_the_gradient_that_differences_give(name, passes):
    term, reached = TERMS[name]
    game, batch, latent = bigan(), noise(N, 2), drawn(N, 2)
    player = game.player("discriminator")
    plain = Plain(game, batch, latent)
    meeting = meet(game, batch, latent)
    if passes == "of the loss":
        player.add_term(name, term)
        torch.manual_seed(7)
        value = player.evaluate(meeting)[name]
    else:
        torch.manual_seed(7)
        value = term(meeting["main"], player)
    expected = getattr(plain, name)
    torch.testing.assert_close(value, expected())
    for network in ("encoder", "generator"):
        found = gradient(value, game.network(network))
        by_differences = gradient_by_differences(expected, game.network(network))
        torch.testing.assert_close(found, by_differences, rtol=1e-5, atol=1e-8)
        assert bool(found.abs().max() > 1e-4) == (network in reached.split())


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_unrolling_a_joint_judge_reaches_generator_and_encoder(steps):
    game = bigan(edit=Unrolled(k=steps, lr=None).apply)
    batch, latent = noise(N, 2), drawn(N, 2)
    plain = Plain(game, batch, latent)
    before = flat(game.network("discriminator"))
    (value,) = game.player("generator").evaluate(meet(game, batch, latent)).values()
    torch.testing.assert_close(value, plain.unrolled(steps))
    for network in ("encoder", "generator"):
        expected = gradient_by_differences(lambda: plain.unrolled(steps), game.network(network))
        torch.testing.assert_close(gradient(value, game.network(network)), expected, rtol=1e-5, atol=1e-8)
    assert torch.equal(flat(game.network("discriminator")), before)


def test_feature_matching_moves_the_encoder_against_its_gradient():
    game = bigan(edit=FeatureMatching(mode="replace", weight=2.0, layer=-1).apply)
    batch, latent = noise(N, 2), drawn(N, 2)
    plain = Plain(game, batch, latent)
    before = flat(game.network("encoder"))
    slope = gradient_by_differences(plain.feature_matching, game.network("encoder"))
    game.player("generator").play(meet(game, batch, latent))
    torch.testing.assert_close(flat(game.network("encoder")), before - RATE * 2 * slope, rtol=1e-6, atol=1e-8)


def test_the_judge_moves_alone():
    game, batch, latent = bigan(), noise(N, 2), drawn(N, 2)
    others = {name: flat(game.network(name)) for name in ("encoder", "generator")}
    plain = Plain(game, batch, latent)
    judge = [p.requires_grad_() for p in plain.judge]
    slope = torch.cat([g.flatten() for g in torch.autograd.grad(plain.loss(judge), judge)])
    before = flat(game.network("discriminator"))
    game.player("discriminator").play(meet(game, batch, latent).detached())
    torch.testing.assert_close(flat(game.network("discriminator")), before - RATE * slope)
    assert all(torch.equal(flat(game.network(name)), kept) for name, kept in others.items())


def test_a_third_side_of_the_loss_is_the_judges_with_the_sides_exchanged():
    game, batch, latent = bigan(), noise(N, 2), drawn(N, 2)
    plain = Plain(game, batch, latent)
    before = {name: flat(game.network(name)) for name in ("encoder", "generator")}
    slopes = {n: gradient_by_differences(lambda: plain.swapped(plain.judge), game.network(n)) for n in before}
    game.player("generator").play(meet(game, batch, latent))
    for name, start in before.items():
        torch.testing.assert_close(flat(game.network(name)), start - RATE * slopes[name], rtol=1e-6, atol=1e-8)
