import copy

import pytest
import torch
from torch import nn

from gan_framework.core.contracts.term import Term
from gan_framework.core.game import Components, Game
from gan_framework.core.pair import Pair, nobody
from gan_framework.core.player import Player
from gan_framework.core.records import Batch, DataShape
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.schedules.simultaneous import Simultaneous
from gan_zoo.strategies.split_discriminator import SplitDiscriminator
from tests.helpers.small import Draws, Halves, sgd, small_game


class Number(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))


class Product(Term):
    """sign · x · y."""

    def __init__(self, sign):
        super().__init__()
        self.sign = sign

    def forward(self, pair, player):
        return self.sign * self.game.networks["x"].value * self.game.networks["y"].value


class Bilinear(Game):
    def make_players(self):
        x, y = Player("x", ("x",)), Player("y", ("y",))
        x.add_term("value", Product(1.0))
        y.add_term("value", Product(-1.0))
        return [x, y]

    def pair(self, batch, latent):
        return Pair(nobody, batch, latent, batch.samples)


def bilinear(schedule, x=1.0, y=2.0):
    networks = {"x": Number(x), "y": Number(y)}
    game = Bilinear(Components(DataShape((1,)), networks, schedule, optimizers={"x": sgd, "y": sgd}))
    game.start(torch.device("cpu"))
    return game


def draw():
    return Batch(torch.zeros(1, 1))


def position(game):
    return game.networks["x"].value.item(), game.networks["y"].value.item()


def test_both_players_move_along_the_gradients_at_the_old_point():
    game = bilinear(Simultaneous())
    measured = game.step(draw)
    # x - 0.1 y and y + 0.1 x, both from (1, 2).
    assert position(game) == pytest.approx((0.8, 2.1))
    assert measured["x/value"].item() == pytest.approx(2.0)
    assert measured["y/value"].item() == pytest.approx(-2.0)


def test_alternating_moves_the_second_player_from_the_new_point():
    game = bilinear(Alternating(1, 1, share_fakes=True))
    game.step(draw)
    assert position(game) == pytest.approx((0.8, 2.08))


def test_simultaneous_steps_spiral_out_by_the_known_factor():
    game = bilinear(Simultaneous())
    for _ in range(10):
        game.step(draw)
    x, y = position(game)
    assert x**2 + y**2 == pytest.approx((1**2 + 2**2) * (1 + 0.1**2) ** 10, rel=1e-5)


def test_two_networks_move_as_the_gradients_at_the_old_parameters_say():
    game = small_game(schedule=Simultaneous())
    d, g = game.discriminator, game.generator
    before = copy.deepcopy((d, g))
    draws = Draws()
    torch.manual_seed(1)
    game.step(draws)

    old_d, old_g = before
    torch.manual_seed(1)
    fake = old_g(torch.randn(5, 3))
    d_loss = old_d(fake.detach()).logits.mean() - old_d(draws.batches[0].samples).logits.mean()
    g_loss = -old_d(fake).logits.mean()
    for loss, old, new in ((d_loss, old_d, d), (g_loss, old_g, g)):
        gradients = torch.autograd.grad(loss, list(old.parameters()))
        for was, gradient, now in zip(old.parameters(), gradients, new.parameters(), strict=True):
            torch.testing.assert_close(now, was - 0.1 * gradient)
    assert len(draws.batches) == 1
    assert (d.calls, g.calls) == (2, 1)


def test_two_players_over_the_same_parameters_each_take_their_own_gradient():
    game = small_game(loss=Halves(), schedule=Simultaneous(), start=False)
    SplitDiscriminator().apply(game)
    game.start(torch.device("cpu"))
    whole = small_game(loss=Halves(), schedule=Simultaneous())
    for each in (game, whole):
        torch.manual_seed(1)
        each.step(Draws())
    # Plain gradient steps on two halves, both from the old point, add up to one on their sum.
    for ours, theirs in zip(game.discriminator.parameters(), whole.discriminator.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
