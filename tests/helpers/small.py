"""A game small enough to be followed by hand."""

import torch
from torch import nn

from gan_framework.build import start as start_game
from gan_framework.core.contracts.loss import SeparableLoss
from gan_framework.core.contracts.networks import Discriminator, Generator
from gan_framework.core.contracts.prior import Prior
from gan_framework.core.game import Components, Game
from gan_framework.core.records import Batch, DataShape, Latent
from gan_zoo.losses.wasserstein import Wasserstein
from gan_zoo.schedules.alternating import Alternating


class SmallGenerator(Generator):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.calls = 0

    def forward(self, z, labels=None):
        self.calls += 1
        return self.layer(z)


class SmallDiscriminator(Discriminator):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 4)
        self.output = nn.Linear(4, 1)
        self.calls = 0

    def features(self, x, labels=None):
        self.calls += 1
        return (torch.tanh(self.inner(x)),)


class SmallPrior(Prior):
    dim = 3

    def draw(self, n, device, generator=None):
        return Latent(torch.randn(n, 3, generator=generator))


class Halves(SeparableLoss):
    """A loss whose three parts can be told apart."""

    def real_half(self, real):
        return -real.logits.mean()

    def fake_half(self, fake):
        return fake.logits.square().mean()

    def generator(self, fake, real=None):
        return -fake.logits.mean()


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


def small_game(loss=None, schedule=None, start=True, optimizer=sgd):
    torch.manual_seed(0)
    game = Game(
        Components(
            data=DataShape((2,)),
            networks={"generator": SmallGenerator(), "discriminator": SmallDiscriminator()},
            schedule=schedule or Alternating(d_steps=1, g_steps=1, share_fakes=True),
            prior=SmallPrior(),
            loss=loss or Wasserstein(),
            optimizers={"generator": optimizer, "discriminator": optimizer},
        )
    )
    if start:
        start_game(game, torch.device("cpu"))
        game.discriminator.calls = game.generator.calls = 0
    return game


class Draws:
    """Gives batches of two-dimensional points and counts them."""

    def __init__(self, n=5):
        self.n = n
        self.batches = []

    def __call__(self):
        generator = torch.Generator().manual_seed(len(self.batches))
        batch = Batch(torch.randn(self.n, 2, generator=generator))
        self.batches.append(batch)
        return batch
