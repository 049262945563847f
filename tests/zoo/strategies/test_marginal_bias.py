"""First biases against the mean of the samples that were drawn, without the network's own functions."""

import numpy as np
import pytest
import torch
from torch import nn

from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError
from gan_zoo.generators.dcgan import DCGANGenerator
from gan_zoo.generators.mlp import MLPGenerator
from gan_zoo.strategies.marginal_bias import MarginalBias
from gan_zoo.systems.ali import ALIGenerator
from tests.helpers.independent import image_game


class Sides:
    """Batches of five 2x2 images: the first pixel is always black, the second always white, the others vary."""

    def __init__(self):
        self.drawn = []
        self.random = np.random.default_rng(0)

    def __call__(self):
        x = self.random.uniform(-1, 1, (5, 1, 2, 2)).astype(np.float32)
        x[:, 0, 0] = -1, 1
        self.drawn.append(x)
        return Batch(torch.from_numpy(x))


def started(output, samples=12, size=0):
    game = image_game(start=False)
    game.networks["generator"] = MLPGenerator(2, 2, 1, [3], "tanh", output, 0.8, 0.1)
    game.data = DataShape((1, 2, 2), size=size)
    MarginalBias(samples).apply(game)
    game.start(torch.device("cpu"))
    draws = Sides()
    game.openings[0](game, draws)
    return game, draws


@pytest.mark.parametrize("output", ["sigmoid", "tanh", "linear"])
def test_the_biases_alone_give_the_mean_of_the_samples_drawn(output):
    game, draws = started(output)
    assert len(draws.drawn) == 3  # 15 samples, of 12 that are asked for
    linear = [layer for layer in game.generator.modules() if isinstance(layer, nn.Linear)][-1]
    nn.init.zeros_(linear.weight)
    alone = game.generator(torch.randn(1, 2)).detach().numpy()[0]
    np.testing.assert_allclose(alone, np.concatenate(draws.drawn).mean(0), atol=1e-6)
    p = np.clip((np.concatenate(draws.drawn).astype(np.float64).mean(0).ravel() + 1) / 2, 1e-7, 1 - 1e-7)
    logits = {"sigmoid": np.log(p / (1 - p)), "tanh": np.log(p / (1 - p)) / 2, "linear": 2 * p - 1}[output]
    np.testing.assert_allclose(linear.bias.detach().numpy(), logits, rtol=1e-5, atol=1e-6)


def test_alis_bias_of_each_pixel_starts_so_too():
    game = image_game(start=False)
    game.networks["generator"] = ALIGenerator(2, 32, 1, 1, 0.1, "sigmoid")
    game.data = DataShape((1, 32, 32))
    MarginalBias(1).apply(game)
    x = torch.rand(5, 1, 32, 32) * 2 - 1
    game.openings[0](game, lambda: Batch(x))
    nn.init.zeros_(game.generator.layers[-1].weight)
    torch.testing.assert_close(game.generator(torch.randn(1, 2))[0], x.mean(0))


def test_small_data_are_passed_through_once_and_a_resumed_game_not_again():
    game, draws = started("sigmoid", size=8)
    assert len(draws.drawn) == 2
    again, _ = started("sigmoid", size=8)
    again.load_state_dict(game.state_dict())
    again.openings[0](again, draws)
    assert len(draws.drawn) == 2


def test_a_generator_without_such_biases_is_refused():
    game = image_game(start=False)
    game.networks["generator"] = DCGANGenerator(2, 8, 1, 1)
    with pytest.raises(ConfigError, match=r"no effect on networks\.generator: DCGANGenerator does not end in a bias"):
        MarginalBias(12).apply(game)
    game.networks["generator"] = nn.Linear(2, 4)
    with pytest.raises(ConfigError, match="marginal_bias has no effect on Game, where no player updates a generator"):
        MarginalBias(12).apply(game)
