"""A second way to the same numbers: numpy formulas of a one-hidden-layer game, and finite differences."""

import numpy as np
import pytest
import torch

from gan_framework.build import start as start_game
from gan_framework.core.game import Components, Game
from gan_framework.core.records import Batch, DataShape
from gan_zoo.discriminators.mlp import MLPDiscriminator
from gan_zoo.generators.mlp import MLPGenerator
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.priors.uniform import Uniform
from gan_zoo.schedules.alternating import Alternating
from tests.helpers.small import sgd


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def finite_differences(function, x, step=1e-6):
    """The gradient of a scalar function of an array, by central differences."""
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        away = np.zeros_like(x)
        away[i] = step
        gradient[i] = (function(x + away) - function(x - away)) / (2 * step)
    return gradient


def image_game(loss=None, start=True, optimizer=sgd, schedule=None):
    """Images of one channel and 2x2 pixels; one hidden layer of three tanh units on either side."""
    torch.manual_seed(0)
    common = {"image_size": 2, "channels": 1, "hidden": [3], "activation": "tanh", "init_std": 0.8, "init_bias": 0.1}
    game = Game(
        Components(
            data=DataShape((1, 2, 2)),
            networks={
                "generator": MLPGenerator(latent_dim=2, output="tanh", **common),
                "discriminator": MLPDiscriminator(pixels="symmetric", **common),
            },
            schedule=schedule or Alternating(d_steps=1, g_steps=1, share_fakes=True),
            prior=Uniform(2),
            loss=loss or NonSaturating(),
            optimizers={"generator": optimizer, "discriminator": optimizer},
        )
    )
    if start:
        start_game(game, torch.device("cpu"))
    return game


def images(n=5, seed=1):
    return Batch(torch.rand(n, 1, 2, 2, generator=torch.Generator().manual_seed(seed)) * 2 - 1)


class Critic:
    """The discriminator of `image_game` in numpy, with its parameters in one flat vector."""

    def __init__(self, game):
        d = game.discriminator
        self.parameters = [d.hidden[0][0].weight, d.hidden[0][0].bias, d.output.weight, d.output.bias]
        self.values = np.concatenate([p.detach().numpy().ravel() for p in self.parameters])

    def split(self, values):
        w, b, v, c = np.split(values, [12, 15, 18])
        return w.reshape(3, 4), b, v, c

    def features(self, values, x):
        w, b, _, _ = self.split(values)
        return np.tanh(x.reshape(len(x), 4) @ w.T + b)

    def score(self, values, x):
        _, _, v, c = self.split(values)
        return self.features(values, x) @ v + c

    def input_gradient(self, values, x):
        """The gradient of the score with respect to the sample, (N, 4), by the chain rule."""
        w, _, v, _ = self.split(values)
        return ((1 - self.features(values, x) ** 2) * v) @ w

    def gradient_of(self, value):
        """The gradient of a scalar tensor with respect to the real discriminator's parameters, as one vector."""
        gradients = torch.autograd.grad(value, self.parameters, allow_unused=True)
        pairs = zip(gradients, self.parameters, strict=True)
        return np.concatenate([(torch.zeros_like(p) if g is None else g).numpy().ravel() for g, p in pairs])


def wasserstein_step(game):
    """Have the critic of a started `image_game(Wasserstein())` play once; return its values after a bare step of it."""
    meeting = game.meet(images()).detached()
    pair = meeting["main"]
    real, fake = pair.real.numpy(), pair.fake.numpy()
    critic = Critic(game)
    slope = finite_differences(lambda p: critic.score(p, fake).mean() - critic.score(p, real).mean(), critic.values)
    game.player("discriminator").play(meeting)
    return critic.values - 0.1 * slope


class Spy:
    """Keeps every batch that a discriminator is shown."""

    def __init__(self, game):
        self.seen = []
        game.discriminator.register_forward_pre_hook(lambda _, inputs: self.seen.append(inputs[0].detach().numpy()))
