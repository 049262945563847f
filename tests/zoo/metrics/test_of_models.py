"""Scores that are asked of models themselves: likelihoods of flows, and a battle of two games."""

import math

import pytest
import torch

from gan_framework.api import Comparison, ConfigError, DataShape, DiscriminatorOutput, FeatureSet
from gan_zoo.losses.wasserstein import Wasserstein
from gan_zoo.metrics import gam
from gan_zoo.metrics.gam import GAM, errors
from gan_zoo.metrics.nll import Likelihood
from gan_zoo.systems.flow_gan import NICE
from tests.helpers.independent import image_game


def stored(samples):
    return FeatureSet(torch.zeros(len(samples), 1), None, None, lambda indices: samples[indices])


def compared(game, generated, test):
    return Comparison(stored(generated), stored(test), lambda _: stored(test), game.data, False, game=game)


class Threshold(torch.nn.Module):
    """Takes for real what has a first pixel of at least a level, of 256."""

    def __init__(self, level):
        super().__init__()
        self.level = torch.nn.Parameter(torch.tensor(level / 127.5 - 1 - 1e-4))

    def forward(self, x, labels=None):
        return DiscriminatorOutput(x[:, 0, 0, 0] - self.level, (x.flatten(1),))


def fighter(level, makes):
    """A game whose D has a threshold and whose G makes images of these first pixels."""
    game = image_game().float()
    game.networks["discriminator"] = Threshold(level)
    pixels = torch.tensor(makes, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2)
    game.sample = lambda latent: pixels[: len(latent.z)] / 127.5 - 1
    return game, pixels


def test_the_ratios_by_hand(monkeypatch):
    one, made = fighter(100, [10, 50, 150, 200])
    two, _ = fighter(180, [10, 20, 30, 120])
    test = torch.tensor([90, 110, 190, 250], dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2)
    assert errors(one, test, None, True) == 1.5 / 5 and errors(two, test, None, True) == 2.5 / 5
    metric = GAM("elsewhere", 4)
    monkeypatch.setattr(gam, "load_game", lambda path, device: (two, {}))
    # D1 takes one of G2's samples for real, and D2 one of G1's.
    assert metric.scores(compared(one, made, test)) == {"gam": 1.0, "gam_test": pytest.approx(0.6)}
    two.networks["discriminator"] = Threshold(120)
    assert metric.scores(compared(one, made, test))["gam"] == pytest.approx(1.5 / 2.5)


def test_against_itself_both_are_1(monkeypatch):
    game, made = fighter(100, [10, 50, 150, 200])
    monkeypatch.setattr(gam, "load_game", lambda path, device: (game, {}))
    assert GAM("itself", 4).scores(compared(game, made, made.flip(0))) == {"gam": 1.0, "gam_test": 1.0}


def test_who_cannot_fight_is_refused(monkeypatch):
    with pytest.raises(ConfigError, match=r"needs the run to compete with: metrics\.gam\.against=RUN"):
        GAM(None, 4).check(image_game())
    with pytest.raises(ConfigError, match=r"metrics\.gam\.samples=0"):
        GAM("run", 0)
    monkeypatch.setattr(gam, "load_game", lambda path, device: (image_game(Wasserstein()), {}))
    with pytest.raises(ConfigError, match=r"against=run has none that says so.*loss=nonsaturating"):
        GAM("run", 4).check(image_game())
    other = image_game()
    other.data = DataShape((1, 3, 3))
    monkeypatch.setattr(gam, "load_game", lambda path, device: (other, {}))
    with pytest.raises(ConfigError, match=r"samples of \(1, 3, 3\), of 0 classes, and this run of \(1, 2, 2\)"):
        GAM("run", 4).check(image_game())


def test_the_likelihood_of_a_flow_that_changes_nothing_is_that_of_its_prior():
    game = image_game(start=False).float()
    flow = NICE(4, 2, 1, "logistic", 1e-6, 2, [3])
    for function in flow.functions:
        function[-1].weight.data.zero_()
    game.networks["generator"] = flow
    test = torch.randint(0, 256, (50, 1, 2, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    scores = Likelihood(50).scores(compared(game, test, test))
    # The logistic distribution function is the sigmoid: of the logit of uniform entries the density is that of [0, 1].
    assert scores["nll"] == pytest.approx(0, abs=1e-3)
    assert scores["bits_per_dim"] == pytest.approx(8, abs=1e-3)
    flow.scales.data.fill_(math.log(2))
    twice = Likelihood(50).scores(compared(game, test, test))
    assert twice["nll"] > 0.1 and twice == Likelihood(50).scores(compared(game, test, test))
    assert twice["bits_per_dim"] == pytest.approx(8 + twice["nll"] / (4 * math.log(2)))


def test_a_generator_without_a_density_has_no_likelihood():
    with pytest.raises(ConfigError, match="a density .*is MLPGenerator: metrics=.parzen. estimates one"):
        Likelihood(10).check(image_game())
