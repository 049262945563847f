"""GMAN: a soft maximum of several discriminators."""

import math

import pytest
import torch

from gan_zoo.systems.gman import soft_maximum
from tests.zoo.players.playing import DIGITS, assert_same_game, batch, built, play

V = torch.tensor([-1.0, -0.5, 0.0], dtype=torch.float64)
SMALL = ["experiment=gman", "networks.generator.width=4", "data.image_size=8"]
NARROW = [f"networks.discriminator_{i}.width=8" for i in range(5)]


@pytest.mark.parametrize(("softness", "expected"), [(0.0, -0.5), (1.0, -0.339922), (5.0, -0.043883), (1e4, 0.0)])
def test_the_soft_maximum(softness, expected):
    assert soft_maximum(V, softness).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("mean", ["arithmetic", "geometric", "harmonic"])
def test_other_means_are_those_of_the_absolute_values(mean):
    v = torch.tensor([-0.3, -2.0, -1.1], dtype=torch.float64, requires_grad=True)
    w = [math.exp(0.7 * one) for one in v.tolist()]
    w = [one / sum(w) for one in w]
    a = [-one for one in v.tolist()]
    expected = {
        "arithmetic": sum(p * x for p, x in zip(w, a, strict=True)),
        "geometric": math.prod(x**p for p, x in zip(w, a, strict=True)),
        "harmonic": 1 / sum(p / x for p, x in zip(w, a, strict=True)),
    }[mean]
    found = soft_maximum(v, 0.7, mean)
    assert found.item() == pytest.approx(-expected)
    assert torch.autograd.gradcheck(lambda x: soft_maximum(x, 0.7, mean), v)


def test_one_discriminator_is_the_game_of_two_players(compose):
    gone = [f"~networks.discriminator_{i}" for i in range(1, 5)]
    first = built(compose, DIGITS, *SMALL, *gone, "networks.discriminator_0.width=8")
    critic = "{name: gman, image_size: 8, channels: 1, width: 8, dropout: 0.4}"
    plain = ["generator=dcgan", "discriminator=null", f"+networks.discriminator={critic}"]
    same = ["optimizer.generator.lr=2e-4", "networks.generator.width=4", "data.image_size=8"]
    assert_same_game(first, built(compose, DIGITS, "model=null", "loss=minimax", *plain, *same))


def test_the_generator_minimises_the_soft_maximum_of_its_losses(compose):
    game = built(compose, DIGITS, *SMALL, *NARROW, "game.softness=2")
    meeting = game.meet(batch(DIGITS, 8))
    found = game.player("generator").evaluate(meeting)["adversarial"]
    losses = torch.stack([-torch.nn.functional.softplus(pair.fake_output.logits).mean() for pair in meeting.values()])
    torch.testing.assert_close(found, soft_maximum(losses, 2.0))


def test_discriminators_may_see_parts_of_their_own(compose):
    game = built(compose, DIGITS, *SMALL, *NARROW, "game.divided=true")
    whole = batch(DIGITS, 10)
    meeting = game.meet(whole)
    assert torch.equal(torch.cat([pair.real for pair in meeting.values()]), whole.samples)
    assert {len(pair.fake) for pair in meeting.values()} == {2}
    assert len(torch.cat([pair.latent.z for pair in meeting.values()]).unique(dim=0)) == 10


def test_a_learned_softness_rises_where_it_is_paid(compose):
    learned = ["+networks.softness={name: softness, start: -2}", "game.reward=1000", "optimizer.generator.lr=0.01"]
    game = built(compose, DIGITS, *SMALL, *NARROW, *learned)
    strict = game.network("softness")
    assert strict().item() == pytest.approx(math.log1p(math.exp(-2)), rel=1e-5)
    before = strict().item()
    measured = play(game, range(2))
    assert strict().item() > before
    assert measured[0]["generator/reward"].item() == pytest.approx(-1000 * before, rel=1e-4)
