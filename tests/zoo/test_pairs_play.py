"""Every loss with every term and strategy, and every term with every strategy: refused when built, or played.

The pairs and the games that they are tried in are those of `gan-framework plugins --pairs`; nothing is listed by hand.
"""

from functools import cache
from itertools import count
from zlib import crc32

import pytest
import torch

from gan_framework.cli import plugins_pairs
from gan_framework.core import seeding
from gan_framework.registry import registry

OWN = {
    (kind, p.name)
    for kind in plugins_pairs.STACKED
    for p in registry.installed(kind)
    if p.distribution == "gan-framework"
}
LARGE = {"cutmix", "progressive_growing", "self_supervision", "style_mixing"}
"""Of networks whose steps take seconds: the tests of these networks try them, and pairs of them would take hours."""
PAIRS = [pair for pair in plugins_pairs.wanted([]) if {*pair} <= OWN and not {item.name for item in pair} & LARGE]
FEW = [pair for pair in PAIRS if crc32(" ".join(item.name for item in pair).encode()) % 150 == 0]
"""A part that is the same in every run, until plugins are added."""

QUICK = {
    "feature_distance": {"steps": 2},
    "margin_adaptation": {"epoch_steps": 2},
    "pretrain_discriminator": {"steps": 2},
    "rbm_pretraining": {"steps": 2},
}
"""Shorter trainings before the first step."""

home = cache(plugins_pairs.home)


def build(place, pair):
    """Return the game of a pair, whose trainings before the first step are short."""
    config = plugins_pairs.settings(place, pair)
    quick = {
        part: {name: {**chosen, **QUICK.get(chosen["name"], {})} for name, chosen in config[part].items()}
        for part in ("strategy", "terms")
    }
    return plugins_pairs.build(place, pair, **quick)


def play(pair):
    """Play two updates if the pair is not refused; return why it is, or None."""
    found = plugins_pairs.try_pair({item: home(item) for item in pair}, pair)
    if found.refused is not None:
        return found.refused
    game = build(found.place, pair)
    draws = count()
    for step in range(2):
        seeding.reseed(0, "step", step)
        measured = game.step(lambda: plugins_pairs.samples(found.place).batch(seed=next(draws)))
        assert measured, found
        assert all(torch.isfinite(value).all() for value in measured.values()), found
    assert any(game.player(name).updates for name in game.players), found
    return None


@pytest.mark.parametrize("pair", FEW, ids=lambda pair: "-".join(item.name for item in pair))
def test_some_pairs_play_or_are_refused(pair):
    reason = play(pair)
    assert reason is None or reason.strip()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", dict.fromkeys(first for first, _ in PAIRS), ids=lambda item: item.name)
def test_all_pairs_of_a_plugin_play_or_are_refused(first):
    played = [pair for pair in PAIRS if pair[0] == first and play(pair) is None]
    assert played or home(first) is None, f"{first.name} goes with nothing"
