"""Every pair of installed strategies, in both orders, either plays or is refused by name."""

from itertools import permutations

import pytest
import torch

from gan_framework.errors import ConfigError
from tests.zoo.strategies.every import NAMES, build, draw

CONTRADICTIONS = {
    frozenset(pair)
    for pair in (
        ("k_step", "loss_gated"),
        ("split_discriminator", "loss_gated"),
        ("q_head", "split_discriminator"),
        ("q_head", "loss_gated"),
        ("weight_clipping", "spectral_norm"),
        ("lr_decay", "lr_decay_exponential"),
        ("stored_discriminators", "unrolled"),
        ("stored_discriminators", "feature_matching"),
        ("stored_discriminators", "sliced_wasserstein"),
        ("sliced_wasserstein", "feature_matching"),
        ("ada", "diff_augment"),
        ("history", "feature_matching"),
        ("history", "sliced_wasserstein"),
        ("history", "stored_discriminators"),
        ("history", "unrolled"),
        ("pack", "q_head"),
        ("pack", "train_with_labels"),
    )
}
# The term it adds to the discriminator cannot be divided afterwards; two halves can each be given it.
CONTRADICTIONS_IN_THIS_ORDER = {("train_with_labels", "split_discriminator"), ("train_with_labels", "loss_gated")}
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


def test_every_pair_plays_or_is_refused_by_both_names(base):
    refused = set()
    for first, second in permutations(NAMES, 2):
        try:
            play(base, first, second)
        except ConfigError as error:
            for name in (first, second):
                assert name in str(error) or TERMS.get(name, name) in str(error), f"{first}, {second}: {error}"
            refused.add((first, second))
    contradictions = {order for pair in CONTRADICTIONS for order in permutations(pair)}
    assert refused == contradictions | CONTRADICTIONS_IN_THIS_ORDER


def test_the_four_techniques_of_one_command_play_together(base):
    game = play(base, "k_step", "feature_matching", "historical_averaging", "minibatch_discrimination")
    assert (game.player("discriminator").updates, game.player("generator").updates) == (2, 1)
    assert game.player("generator").objective is None
    assert set(game.player("generator").terms) == {"feature_matching", "historical_averaging"}
