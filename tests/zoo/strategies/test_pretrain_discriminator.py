import copy

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.strategies.k_step import KStep
from gan_zoo.strategies.pretrain_discriminator import PretrainDiscriminator
from gan_zoo.strategies.split_discriminator import SplitDiscriminator
from tests.helpers.small import Draws, small_game
from tests.zoo.schedules.test_simultaneous import Bilinear, bilinear


def pretrained(*others, steps=4):
    game = small_game(loss=NonSaturating(), start=False)
    for strategy in (*others, PretrainDiscriminator(steps)):
        strategy.apply(game)
    game.start(torch.device("cpu"))
    return game


def updates(game):
    return {name: game.player(name).updates for name in game.players}


def test_the_discriminator_moves_n_times_before_the_generator_and_never_again_alone():
    game, draws = pretrained(), Draws()
    moves = []
    for name in game.players:
        game.player(name).optimizer.register_step_post_hook(lambda *_, name=name: moves.append(name))
    game.step(draws)
    game.step(draws)
    assert moves == ["discriminator"] * 4 + ["discriminator", "generator"] * 2
    assert len(draws.batches) == 6
    assert updates(game) == {"discriminator": 6, "generator": 2}


def test_pretraining_leaves_the_generator_as_it_was():
    game = pretrained()
    before = copy.deepcopy(game.generator.state_dict())
    game.openings[0](game, Draws())
    assert all(torch.equal(before[name], value) for name, value in game.generator.state_dict().items())
    assert updates(game) == {"discriminator": 4, "generator": 0}


def test_a_resumed_game_does_not_pretrain_again():
    game, resumed = pretrained(), pretrained()
    draws = Draws()
    game.step(draws)
    resumed.load_state_dict(game.state_dict())
    for each in (game, resumed):
        torch.manual_seed(3)
        each.step(Draws())
    assert updates(resumed) == updates(game) == {"discriminator": 6, "generator": 2}
    assert all(torch.equal(a, b) for a, b in zip(game.parameters(), resumed.parameters(), strict=True))


def test_it_goes_with_other_numbers_of_steps_and_with_two_halves():
    game = pretrained(KStep(k=3, g_steps=1))
    game.step(Draws())
    assert updates(game) == {"discriminator": 7, "generator": 1}
    game = pretrained(SplitDiscriminator())
    game.step(Draws())
    assert updates(game) == {"discriminator_real": 5, "discriminator_fake": 5, "generator": 1}


def test_a_game_without_a_discriminator_is_refused():
    game = bilinear(small_game().schedule)
    assert isinstance(game, Bilinear)
    with pytest.raises(ConfigError, match="pretrain_discriminator has no effect on Bilinear"):
        PretrainDiscriminator(3).apply(game)
