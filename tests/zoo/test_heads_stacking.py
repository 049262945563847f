"""All terms that read heads together play with every strategy and loss, or what does not fit is refused by name."""

import pytest
import torch

from gan_framework.errors import ConfigError
from tests.zoo.strategies.every import NAMES, OVERRIDES, build, draw
from tests.zoo.test_stacking import LOSSES

TERMS = ("twin_classification", "discriminative_classification", "class_contrast", "rotation", "infomax")

SMALL = (
    "networks.discriminator.width=2",
    "networks.discriminator.norm=none",
    "terms.class_contrast.size=8",
    "terms.infomax.size=8",
    "strategy.ada.policy=[color]",
)

REFUSED = {
    "loss_gated": "loss_gated divides the discriminator's loss",
    "split_discriminator": "split_discriminator divides the discriminator's loss",
    "pack": "leave out pack",
    "train_with_labels": "auxiliary_classification",
}
"""Strategies that do not go with the terms, and a part of the reason."""


@pytest.fixture(scope="module")
def composed(compose):
    here = [o for o in OVERRIDES if not o.startswith(("discriminator=", "networks.discriminator"))]
    return compose(*here, f"term=[{','.join(TERMS)}]", "+strategy.heads={name: heads}", "discriminator=dcgan", *SMALL)


def play(base, *strategies, **changes):
    """Build a game, and play a step."""
    game = build(base, *strategies, **changes)
    measured = game.step(draw)
    assert all(torch.isfinite(value).all() for value in measured.values())
    return game


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("last", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_terms_with_a_strategy(name, last, composed):
    order = ("heads", name) if last else (name, "heads")
    try:
        game = play(composed, *order)
    except ConfigError as error:
        assert REFUSED.get(name, f"{name} ") in str(error)  # others do not fit the game, terms or none
    else:
        assert name not in REFUSED
        assert {*TERMS} <= {*game.player("discriminator").terms} & {*game.player("generator").terms}


@pytest.mark.parametrize("name", LOSSES)
def test_the_terms_with_a_loss(name, composed):
    try:
        game = play(composed, "heads", loss={"name": name})
    except ConfigError as error:
        assert f"loss={name}" in str(error)
    else:
        assert {*TERMS} <= {*game.player("discriminator").terms} & {*game.player("generator").terms}


def test_the_classifiers_of_two_papers_share_a_discriminator(composed):
    terms = {name: composed["terms"][name] for name in TERMS[1:]}
    game = play(composed, "heads", "train_with_labels", terms=terms, loss={"name": "class_softmax"})
    heads = {"class", "class_by_source", "embedding", "rotation"}
    assert {*game.discriminator.heads} == heads
    assert {*game.meet(draw())["main"].real_output.heads} == heads | {"class_and_fake", "local", "global"}
