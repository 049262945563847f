"""Every loss with every term and every strategy plays two updates, or the two are refused by both names."""

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from tests.zoo.strategies.every import NAMES, OVERRIDES, build, draw

ALONE = {"dualing"}
"""Losses of games without a discriminator to train, which have tests of their own."""

LOSSES = [p.name for p in registry.installed("losses") if p.distribution == "gan-framework" and p.name not in ALONE]
TERMS = [
    "cramer_penalty",
    "dragan",
    "gradient_maximum",
    "gradient_penalty",
    "gradient_power",
    "lecam",
    "mode_seeking",
    "orthogonal",
    "r1",
    "r2",
    "score_size",
    "sobolev",
    "svm_norm",
    "weighted_gradient",
]
"""Those of games with labels, codes or auto-encoders have tests of their own."""

HEADS = dict.fromkeys(("class_softmax", "multi_hinge", "omni"), ("heads",))
"""What losses need that score classes."""


@pytest.fixture(scope="module")
def composed(compose):
    return compose(*OVERRIDES, f"term=[{','.join(TERMS)}]", "+strategy.heads={name: heads}")


@pytest.mark.slow  # test_pairs_play tries some of these pairs in every run
@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_with_every_term_and_strategy(loss, composed):
    for term in TERMS:
        _play(composed, loss, term, HEADS.get(loss, ()), terms={term: composed["terms"][term]})
    for strategy in NAMES:
        _play(composed, loss, strategy, (*HEADS.get(loss, ()), strategy), terms={})


def _play(base, loss, other, strategies, **changes):
    if loss == "dual_discriminator":
        half = base["networks"]["discriminator"]
        changes["networks"] = base["networks"] | {"discriminator": {"name": "twin", "of": half}}
    try:
        game = build(base, *strategies, loss={"name": loss}, **changes)
        for _ in range(2):
            assert all(torch.isfinite(value).all() for value in game.step(draw).values()), (loss, other)
    except ConfigError as error:
        named = str(error).lower().replace("_", "")
        for name in (loss, other):
            assert name.replace("_", "") in named, f"{loss}, {other}: {error}"
