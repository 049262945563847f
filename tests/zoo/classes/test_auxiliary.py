"""Auxiliary classifiers: what each player pays, what is held, and what is refused."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import MAIN
from gan_framework.errors import ConfigError
from gan_zoo.classifying import CLASS
from gan_zoo.systems.can import ambiguity
from gan_zoo.systems.controlgan import controlled
from tests.zoo.classes.common import built, gradients, images, says, shape

NARROW = [f"networks.{name}.width=4" for name in ("generator", "discriminator")]
NONE = ["networks.discriminator.norm=none"]
CONTROL = ["controlgan", *NARROW, *NONE, "networks.classifier.width=4", "networks.classifier.norm=none"]
CREATIVE = ["can", *NARROW, *NONE]
ART = ["artgan", *NARROW, *NONE]
PLAIN = shape(labelled=False)


def pays(game, name, meeting):
    return sum(game.player(name).evaluate(meeting).values())


def same(found, expected, network):
    torch.testing.assert_close(found, expected)
    for one, other in zip(gradients(found, network), gradients(expected, network), strict=True):
        torch.testing.assert_close(one, other)


# -- ControlGAN -----------------------------------------------------------------------------------------


def test_the_weight_follows_the_errors():
    zero, fake, real = torch.zeros(()), torch.tensor(0.8), torch.tensor(0.3)
    assert controlled(zero, fake, real, 1.0, 0.01).item() == pytest.approx(0.005)
    assert controlled(zero + 0.1, real, fake, 1.0, 0.01).item() == pytest.approx(0.095)
    assert controlled(zero, real, fake, 1.0, 0.01).item() == 0
    assert controlled(zero + 0.1, fake, real, 2.0, 0.01).item() == pytest.approx(0.1 + 0.01 * 0.2)
    assert controlled(zero + 1.9, fake, real, 1.0, 1.0, 2.0).item() == 2


def test_controlgan_pays_by_the_formula_and_adapts_after_updates_alone(compose):
    game, batch = built(compose, *CONTROL, data=PLAIN), images()
    meeting, generator = game.meet(batch), game.player("generator")
    term, fake = generator.term("controlled"), meeting[MAIN].fake
    term.gamma.fill_(0.25)
    told = F.cross_entropy(game.classify(fake), batch.labels)
    same(
        pays(game, "generator", meeting),
        F.softplus(-game.discriminator(fake).logits).mean() + 0.25 * told,
        game.generator,
    )
    known = F.cross_entropy(game.classify(batch.samples), batch.labels)
    same(pays(game, "classifier", meeting), known, game.network("classifier"))
    assert term.gamma == 0.25
    generator.play(meeting)
    assert term.gamma.item() == pytest.approx(0.25 + 0.001 * (told - known).item(), rel=1e-5)
    assert term.figures()["gamma"] == term.gamma


def test_controlgan_refuses_what_is_told_or_cannot_be(compose):
    with pytest.raises(ConfigError, match="networks.discriminator, and DCGANConditionalDiscriminator is given them"):
        built(compose, "controlgan", "discriminator=dcgan_conditional", data=PLAIN)
    with pytest.raises(ConfigError, match="DCGANGenerator takes none"):
        built(compose, "controlgan", "generator=dcgan", data=PLAIN)
    with pytest.raises(ConfigError, match="needs data with classes"):
        built(compose, *CONTROL, data=shape(classes=0, labelled=False))


# -- CAN ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "even", "sure"), [("binary", 3.2508297, 2.4445506), ("uniform", 2.3025851, 1.4228993)]
)
def test_the_numbers_of_ambiguity(form, even, sure):
    assert ambiguity(torch.zeros(1, 10), form).item() == pytest.approx(even, abs=1e-6)
    p = torch.tensor([[0.7, 0.2, 0.1]])
    assert ambiguity(p.log(), form).item() == pytest.approx(sure, abs=1e-6)


@pytest.mark.parametrize("form", ["binary", "uniform"])
def test_ambiguity_is_least_where_classes_are_even(form):
    scores = torch.zeros(1, 5, requires_grad=True)
    value = ambiguity(scores, form).sum()
    (gradient,) = torch.autograd.grad(value, scores)
    assert gradient.abs().max() < 1e-12
    random = torch.randn(50, 5, generator=torch.Generator().manual_seed(0))
    assert (ambiguity(random, form) > value.detach()).all()
    certain = torch.tensor([[200.0, 0, 0, 0, 0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(ambiguity(certain, form).sum(), certain)
    assert gradient.isfinite().all() and gradient[0, 0] > 0.1


def test_can_pays_by_the_formula(compose):
    game, batch = built(compose, *CREATIVE, "game.weight=2", data=PLAIN), images()
    meeting, d = game.meet(batch), game.discriminator
    real, fake = d(batch.samples), d(meeting[MAIN].fake)
    of_d = F.softplus(-real.logits).mean() + F.softplus(fake.logits).mean()
    same(pays(game, "discriminator", meeting), of_d + F.cross_entropy(real.heads[CLASS], batch.labels), d)
    p = fake.heads[CLASS].softmax(1)
    ambiguous = -(p.log() / 10 + 0.9 * (1 - p).log()).sum(1).mean()
    same(pays(game, "generator", meeting), F.softplus(-fake.logits).mean() + 2 * ambiguous, game.generator)


def test_can_refuses_other_forms(compose):
    with pytest.raises(ConfigError, match="form='even': choose binary or uniform"):
        built(compose, *CREATIVE, "game.form=even", data=PLAIN)


# -- ArtGAN ---------------------------------------------------------------------------------------------


def test_equal_scores_add_the_logarithm_of_their_number():
    assert says(torch.full((1, 7), 0.4)).logits.item() == pytest.approx(0.4 + math.log(7))


def test_artgan_pays_by_the_formula(compose):
    batch = images(size=16)
    game = built(compose, *ART, "game.reconstruction=0.7", data=shape(16, labelled=False), size=16)
    meeting, d, g = game.meet(batch), game.discriminator, game.generator
    g.eval()  # so that its norms see each batch alike
    fake = meeting[MAIN].fake
    real, made = d(batch.samples), d(fake)
    decoded = [g.layers[3:](said.features[-1]) for said in (real, made)]
    of_d = F.softplus(-real.logits).mean() + F.softplus(made.logits).mean()
    of_d = of_d + F.cross_entropy(real.heads[CLASS], batch.labels) + 0.35 * F.mse_loss(decoded[0], batch.samples)
    same(pays(game, "discriminator", meeting), of_d, d)
    of_g = F.softplus(-made.logits).mean() + F.cross_entropy(made.heads[CLASS], batch.labels)
    same(pays(game, "generator", meeting), of_g + 0.35 * F.mse_loss(decoded[1], fake), g)


def test_artgan_refuses_maps_that_it_cannot_decode(compose):
    with pytest.raises(ConfigError, match="give both networks the same width"):
        built(compose, "artgan", "networks.generator.width=4", "networks.discriminator.width=8", data=PLAIN)
    with pytest.raises(ConfigError, match="generator=artgan, and DCGANConditionalGenerator has none"):
        built(compose, "artgan", "networks.generator.name=dcgan_conditional", data=PLAIN)
    built(compose, *ART, "networks.discriminator.width=8", "game.reconstruction=0", data=PLAIN)
