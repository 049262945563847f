"""Every pair of installed strategies, in both orders, either plays or is refused by name.

Pairs with losses and terms are in tests/zoo/test_pairs_play.py; what is refused is what two of them claim, and what
either says of the other.
"""

from itertools import permutations

import pytest
import torch

from gan_framework.errors import ConfigError
from tests.zoo.strategies.every import NAMES, build, draw

TERMS = {"q_head": "mutual_information", "train_with_labels": "auxiliary_classification"}
"""Strategies that a refusal may name by the term they add."""


def play(base, *names):
    """Build a game with strategies, play one iteration and return the game."""
    game = build(base, *names)
    measured = game.step(draw)
    assert measured and all(torch.isfinite(value).all() for value in measured.values()), names
    return game


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_plays_alone(base, name):
    game = play(base, name)
    assert all(game.player(player).updates >= 1 for player in game.players)


@pytest.mark.slow
def test_every_pair_plays_or_is_refused_by_both_names(base):
    claimed = {name: {*build(base, name)._claims} for name in NAMES}
    for first, second in permutations(NAMES, 2):
        try:
            play(base, first, second)
        except ConfigError as error:
            for name in (first, second):
                assert name in str(error) or TERMS.get(name, name) in str(error), f"{first}, {second}: {error}"
        else:
            assert not claimed[first] & claimed[second], f"{first} and {second} set the same"


def test_the_four_techniques_of_one_command_play_together(base):
    game = play(base, "k_step", "feature_matching", "historical_averaging", "minibatch_discrimination")
    assert (game.player("discriminator").updates, game.player("generator").updates) == (2, 1)
    assert game.player("generator").objective is None
    assert set(game.player("generator").terms) == {"feature_matching", "historical_averaging"}
