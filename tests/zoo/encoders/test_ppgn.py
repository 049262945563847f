"""PPGN: what each player pays, chains of codes, and the class that they are steered to."""

from math import sqrt

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError
from gan_zoo.systems.ppgn import PPGNSampler, walk
from tests.zoo.encoders.common import images, reached, small

NETWORKS = [
    *("prior.dim=4", "networks.generator.width=2"),
    *(f"networks.{name}.width=2" for name in ("discriminator", "encoder", "classifier")),
]


@pytest.fixture
def game(compose):
    torch.manual_seed(0)
    return small(compose, "ppgn", *NETWORKS)


def test_a_chain_of_an_exact_score_has_the_laws_variance():
    random = torch.Generator().manual_seed(0)
    eta, h = 0.1, torch.zeros(4000, 2, dtype=torch.float64)
    for _ in range(150):
        h = walk(h, lambda h: -eta / 2 * h, 1, 1.0, sqrt(eta), random, normalised=False)
    assert h.var().item() == pytest.approx(1 / (1 - eta / 4), rel=0.05)
    assert h.mean().abs() < 0.05


def test_steps_have_the_mean_size_that_falls_along_a_line():
    random = torch.Generator()
    towards = torch.tensor([[3.0, -1.0]], dtype=torch.float64)
    h = walk(torch.zeros(1, 2, dtype=torch.float64), lambda h: towards, 4, 0.4, 0.0, random)
    assert torch.allclose(h, towards / 2 * 0.4 * (1 + 0.75 + 0.5 + 0.25))
    held = walk(torch.zeros(1, 2, dtype=torch.float64), lambda h: towards, 4, 0.4, 0.0, random, most=1.0)
    assert held.tolist() == [[1.0, 0.0]]


def test_what_the_players_pay_and_whom_it_reaches(game):
    batch = images(size=8)
    meeting = game.meet(batch)
    paid = game.player("autoencoder").evaluate(meeting)
    assert reached(sum(paid.values()), game) == {"encoder", "generator", "discriminator"}
    h = game.encode(batch.samples).z
    made = game.generate(Latent(h, batch.labels))
    assert bool((h >= 0).all())
    image = 0.5 * (batch.samples - made).flatten(1).square().sum(1).mean()
    code = 0.5 * (h - game.encode(made).z).square().sum(1).mean()
    adversarial = F.softplus(-game.judge("discriminator")(made).logits).mean()
    assert sum(paid.values()).item() == pytest.approx((image + 0.1 * code + adversarial).item(), rel=1e-4)
    told = game.player("classifier").evaluate(meeting)
    assert reached(sum(told.values()), game) == {"classifier"}


def test_the_direction_is_the_gradient_of_the_class_and_the_way_back(game):
    game.networks.eval().double()
    h = torch.rand(3, 4, dtype=torch.float64)
    labels = torch.tensor([1, 2, 3])
    sampler = PPGNSampler(1, 1.0, 0.3, 0.7, 0.0, 30.0)

    def log_p(h):
        return game.classify(game.generate(Latent(h))).log_softmax(1)[torch.arange(3), labels].sum()

    found, step = sampler.direction(game, h, labels), 1e-6
    kept = game.encode(game.generate(Latent(h))).z
    for column in range(4):
        moved = torch.zeros(3, 4, dtype=torch.float64)
        moved[:, column] = step
        for row in range(3):
            one = moved * (torch.arange(3) == row)[:, None]
            slope = (log_p(h + one) - log_p(h - one)) / (2 * step)
            expected = 0.3 * (kept - h)[row, column] + 0.7 * slope
            assert found[row, column].item() == pytest.approx(expected.item(), abs=1e-6)
    ignoring = PPGNSampler(1, 1.0, 0.3, 0.0, 0.0, 30.0)
    assert torch.equal(ignoring.direction(game, h, labels), ignoring.direction(game, h, labels.flip(0)))


def test_only_a_game_with_encoder_and_classifier_will_do(game, compose):
    sampler = PPGNSampler(2, 0.1, 1.0, 1.0, 0.0, 30.0)
    sampler.check(game)
    with pytest.raises(ConfigError, match="sampler=ppgn walks in codes .* train experiment=ppgn"):
        sampler.check(
            small(compose, "aae", "prior.dim=4", *(f"networks.{n}.hidden=[4]" for n in ("generator", "encoder")))
        )
