import math

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.data import build_source
from gan_framework.errors import ConfigError

LINE = DataShape((1,))


@pytest.fixture(scope="module")
def config(compose):
    return compose("experiment=gaussian_1d", "debug=smoke")


@pytest.fixture
def game(config):
    return build_game(config, LINE, torch.device("cpu"))


def real():
    return Batch(2 + 0.5 * torch.randn(16, 1))


def test_a_step_measures_the_truth(game):
    torch.manual_seed(0)
    measured = game.step(real)
    # The same integrals by samples: V of this discriminator, and of D* = p / (p + g).
    x = 2 + 0.5 * torch.randn(200_000, 1)
    g = game.sample(game.latent(200_000))
    p = torch.distributions.Normal(2.0, 0.5)
    q = torch.distributions.Normal(game.generator.mean.item(), game.generator.std.item())
    with torch.no_grad():
        for name, logit in (
            ("value", lambda x: game.discriminator(x).logits),
            ("value_optimal", lambda x: (p.log_prob(x) - q.log_prob(x))[:, 0]),
        ):
            by_samples = -torch.nn.functional.softplus(-logit(x)).mean() - torch.nn.functional.softplus(logit(g)).mean()
            assert measured[name].item() == pytest.approx(by_samples.item(), abs=0.02)
    assert measured["value"] < measured["value_optimal"]
    assert measured["value_optimal"].item() == pytest.approx(2 * measured["jsd"].item() - math.log(4), abs=1e-6)
    assert 0 < measured["d_error"] < 1


def test_a_perfect_generator_has_no_divergence(game):
    with torch.no_grad():
        game.generator.mean.fill_(2.0)
        game.generator.std.fill_(-0.5)  # the sign of the deviation changes nothing
    torch.manual_seed(0)
    for player in ("discriminator", "generator"):
        game.player(player).optimizer.param_groups[0]["lr"] = 0.0
    measured = game.step(real)
    assert measured["jsd"].item() == pytest.approx(0, abs=1e-7)
    assert measured["value_optimal"].item() == pytest.approx(-math.log(4), abs=1e-6)


def test_training_brings_the_generator_to_the_data(config):
    source = build_source(config["data"])
    faster = {name: {**settings, "lr": 0.02} for name, settings in config["optimizer"].items()}
    game = build_game({**config, "optimizer": faster}, source.shape, torch.device("cpu"))
    samples = source.load("train").samples
    torch.manual_seed(0)
    measured = [game.step(lambda: Batch(samples[torch.randint(len(samples), (256,))])) for _ in range(150)]
    assert measured[0]["jsd"] > 0.3
    assert measured[-1]["jsd"] < 0.02
    assert measured[-1]["value"].item() == pytest.approx(-math.log(4), abs=0.1)
    assert game.generator.mean.item() == pytest.approx(2, abs=0.2)


def test_the_picture_changes_as_training_proceeds(game):
    first = game.picture(game.latent(1), 8)
    game.step(real)
    second = game.picture(game.latent(1), 8)
    assert first.shape == second.shape == (3, 320, 500)
    assert first.dtype == second.dtype == torch.uint8
    assert (first != second).any()


def test_a_generator_of_unknown_density_is_refused(compose):
    config = compose("experiment=gaussian_1d", "generator=mlp", "networks.generator.output=linear")
    with pytest.raises(ConfigError, match="generator=gaussian prior=normal, not with MLPGenerator and Normal"):
        build_game(config, LINE, torch.device("cpu"))
    with pytest.raises(ConfigError, match="prior=normal, not with GaussianGenerator and Uniform"):
        build_game(compose("experiment=gaussian_1d", "prior=uniform"), LINE, torch.device("cpu"))


def test_more_than_a_line_is_refused(compose):
    with pytest.raises(ConfigError, match="data.channels=1"):
        build_game(compose("experiment=gaussian_1d", "data.channels=2"), DataShape((2,)), torch.device("cpu"))
