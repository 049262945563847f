import pytest
import torch
from torch import nn

from gan_framework.core.contracts.networks import Discriminator, Generator
from gan_framework.core.contracts.schedule import Schedule
from gan_framework.core.game import Components, Game
from gan_framework.core.records import DataShape
from gan_framework.data import DataSource, InMemory
from gan_zoo.priors.normal import Normal


class Blobs(DataSource):
    """Grey 8x8 images: noise with a bright quarter, which is the class."""

    classes = ("left", "right")

    def __init__(self, n=200):
        self.shape = DataShape((1, 8, 8), 2)
        self.n = n

    def load(self, split):
        g = torch.Generator().manual_seed({"train": 1, "test": 2}[split])
        labels = torch.arange(self.n) % 2
        pixels = torch.randint(0, 100, (self.n, 1, 8, 8), generator=g)
        pixels[labels == 0, :, :, :4] += 150
        pixels[labels == 1, :, :, 4:] += 150
        return InMemory(pixels.to(torch.uint8), labels)


class TinyGenerator(Generator):
    """A generator with batch norm and dropout, so that its mode matters."""

    def __init__(self, conditional=False):
        super().__init__()
        self.conditional = conditional
        self.embed = nn.Embedding(2, 4)
        self.layers = nn.Sequential(
            nn.Linear(4, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 64), nn.Tanh()
        )

    def forward(self, z, labels=None):
        if self.conditional:
            z = z + 5 * self.embed(labels)
        return self.layers(z).view(-1, 1, 8, 8)


class TinyDiscriminator(Discriminator):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(64, 8)
        self.output = nn.Linear(8, 1)

    def features(self, x, labels=None):
        return (self.inner(x.flatten(1)),)


class NoSchedule(Schedule):
    def step(self, game, draw):
        raise AssertionError("an evaluation plays no step")


def make_game(generator, shape):
    torch.manual_seed(0)
    networks = {"generator": generator, "discriminator": TinyDiscriminator()}
    return Game(Components(shape, networks, NoSchedule(), Normal(4)))


@pytest.fixture
def source():
    return Blobs()


@pytest.fixture
def game(source):
    torch.manual_seed(0)
    return make_game(TinyGenerator(), source.shape)


@pytest.fixture
def conditional_game(source):
    torch.manual_seed(0)
    return make_game(TinyGenerator(conditional=True), source.shape)
