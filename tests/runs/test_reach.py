"""Networks that cannot make what the data have."""

import logging
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gan_framework.core.contracts.networks import Generator
from gan_framework.core.records import DataShape
from gan_framework.data import InMemory
from gan_framework.runs.announcement import _warn_of_reach
from gan_framework.runs.reach import out_of_reach, reach
from gan_zoo.layers import SigmoidImage
from tests.evaluation.conftest import make_game

UNBOUNDED = (-float("inf"), float("inf"))


class Made(Generator):
    def __init__(self, last, after=lambda x: x):
        super().__init__()
        self.layers, self.after = nn.Sequential(nn.Linear(4, 64), last), after

    def forward(self, z, labels=None):
        return self.after(self.layers(z)).unflatten(1, (1, 8, 8))


def game_of(last, after=lambda x: x, value_range=UNBOUNDED):
    return make_game(Made(last, after), DataShape((1, 8, 8), value_range=value_range))


@pytest.mark.parametrize(
    ("last", "found"),
    [
        (nn.Tanh(), ("Tanh", (-1, 1))),
        (SigmoidImage(), ("SigmoidImage", (-1, 1))),
        (nn.Sigmoid(), ("Sigmoid", (0, 1))),
        (nn.Identity(), None),
        (nn.ReLU(), None),
        (nn.LayerNorm(64), None),
        (nn.Softmax(1), None),
        (nn.Linear(64, 64), None),
    ],
)
def test_a_last_layer_that_squashes_has_a_range(last, found):
    assert reach(game_of(last)) == found


def test_nothing_is_said_where_something_comes_after_the_layer_or_nothing_is_a_layer():
    assert reach(game_of(nn.Tanh(), lambda x: 10 * x)) is None

    class Alone(Generator):
        def forward(self, z, labels=None):
            return z.mean(1).tanh()[:, None, None, None].expand(-1, 1, 8, 8)

    assert reach(make_game(Alone(), DataShape((1, 8, 8), value_range=UNBOUNDED))) is None


def test_data_beyond_the_range_are_named_before_training(caplog):
    far = InMemory(torch.linspace(0, 255, 10 * 64).view(10, 1, 8, 8))
    near = InMemory(torch.linspace(-1.04, 1.04, 10 * 64).view(10, 1, 8, 8))
    game = game_of(nn.Tanh())
    state = torch.get_rng_state()
    assert out_of_reach(game, near) is None
    assert out_of_reach(game, far) == ("Tanh", (-1, 1), (0, 255))
    assert torch.equal(torch.get_rng_state(), state)
    assert out_of_reach(game_of(nn.Identity()), far) is None
    # 8-bit images are in [-1, 1] in training.
    assert out_of_reach(game_of(nn.Tanh(), value_range=None), InMemory(torch.zeros(3, 1, 8, 8).byte())) is None
    config = {"data": {"name": "npz"}, "networks": {"generator": {"output": "tanh"}}}
    with caplog.at_level(logging.WARNING):
        _warn_of_reach(SimpleNamespace(game=game, batches=SimpleNamespace(data=far)), config)
    (said,) = caplog.messages
    assert said.startswith("networks.generator ends in Tanh, which makes values from -1 to 1, and those of data=npz go")
    assert said.endswith("from 0 to 255: it cannot make samples like them. Scale the data to that range, or set "
                         "networks.generator.output=linear")  # fmt: skip
