"""LOGAN's steps at test time, by hand."""

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_zoo.losses.wasserstein import Wasserstein
from gan_zoo.priors.codes import Codes
from gan_zoo.priors.normal import Normal
from gan_zoo.samplers.latent_optimisation import LatentOptimisation
from tests.evaluation.test_samplers import drawn, make


def sampler(**changes):
    settings = {"alpha": 0.9, "beta": 0.1, "natural": True, "share": 1.0, "bound": None, "steps": 1} | changes
    return LatentOptimisation(**settings)


def slope(**more):
    """A game whose D says 3 z_0 + 4 z_1 of a latent, and whose samples are these."""
    return make(lambda z: z @ z.new_tensor([[3.0], [4.0]]), lambda x, labels: x[:, 0], prior=Normal(2), **more)


@pytest.mark.parametrize(
    ("settings", "gained"),
    [
        ({}, 25 * 0.9 / 25.1),  # a step of (0.1075697211, 0.1434262948)
        ({"steps": 10}, 10 * 25 * 0.9 / 25.1),
        ({"natural": False, "alpha": 0.1}, 2.5),
    ],
)
def test_steps_raise_the_score_by_what_they_say(settings, gained):
    game = slope(loss=Wasserstein())  # a critic will do
    before, after = drawn(game, None, 6), drawn(game, sampler(**settings), 6)
    torch.testing.assert_close(after, before + gained)


def test_a_share_is_moved_and_none_leaves_the_bound():
    moved = drawn(slope(), sampler(share=0.5), 400) - drawn(slope(), None, 400)
    kinds = [0.0, 3 * 0.1075697211, 4 * 0.1434262948, 25 * 0.9 / 25.1]
    nearest = (moved - torch.tensor(kinds)).abs()
    assert nearest.amin(1).max() < 1e-5
    assert (nearest.argmin(1).bincount(minlength=4) > 60).all()
    inside = drawn(slope(), sampler(bound=0.5, steps=3), 50)
    assert inside.abs().max() <= 3.5 + 1e-6 and (inside == 3.5).any()


def test_codes_are_not_moved():
    game = slope()
    game.prior = Codes(2, {"categorical": [2]})
    with pytest.raises(ConfigError, match="sampler=latent_optimisation would move codes"):
        sampler().check(game)
