"""The bilinear game against the linear maps that its steps are."""

import functools
import math

import numpy as np
import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError
from tests.helpers.independent import double_precision  # noqa: F401 (a fixture)

RATE = 0.1
SHAPE = DataShape((1,))


@pytest.fixture(scope="module")
def play(compose):
    composed = functools.cache(compose)

    def played(schedule, steps=60):
        config = composed("experiment=bilinear", f"schedule={schedule}")
        game = build_game(config, SHAPE, torch.device("cpu"))
        for _ in range(steps):
            game.step(lambda: Batch(torch.zeros(1, 1)))
        return game

    return played


def test_simultaneous_steps_spiral_out_by_the_same_factor_each(play):
    path = play("simultaneous").path
    radius = path.norm(dim=1)
    assert radius[0].item() == pytest.approx(math.sqrt(2))
    torch.testing.assert_close(radius[1:] / radius[:-1], torch.full((60,), math.sqrt(1 + RATE**2)))
    # x falls along its gradient y, y rises along its gradient x.
    step = np.array([[1, -RATE], [RATE, 1]])
    expected = np.linalg.matrix_power(step, 60) @ [1, 1]
    np.testing.assert_allclose(path[-1].numpy(), expected, rtol=1e-12)


def test_alternating_steps_stay_on_an_ellipse(play):
    path = play("alternating").path
    x, y = path.T
    conserved = x**2 + y**2 - RATE * x * y
    torch.testing.assert_close(conserved, torch.full((61,), 2 - RATE))
    # y moves after x has.
    first, second = np.array([[1, -RATE], [0, 1]]), np.array([[1, 0], [RATE, 1]])
    expected = np.linalg.matrix_power(second @ first, 60) @ [1, 1]
    np.testing.assert_allclose(path[-1].numpy(), expected, rtol=1e-12)


def test_it_is_zero_sum(play):
    game = play("simultaneous", steps=3)
    measured = game.step(lambda: Batch(torch.zeros(1, 1)))
    x, y = game.path[-2]
    assert measured["discriminator/adversarial"].item() == pytest.approx((x * y).item(), rel=1e-6)
    assert measured["generator/adversarial"].item() == pytest.approx(-(x * y).item(), rel=1e-6)
    assert measured["radius"].item() == pytest.approx(game.path[-1].norm().item())


def test_the_path_is_in_the_state(play):
    game, other = play("alternating", steps=5), play("alternating", steps=2)
    other.load_state_dict(game.state_dict())
    assert torch.equal(other.path, game.path)


def test_the_picture_shows_the_path(play):
    game = play("simultaneous", steps=5)
    short = game.picture(game.latent(1), 8)
    for _ in range(20):
        game.step(lambda: Batch(torch.zeros(1, 1)))
    long = game.picture(game.latent(1), 8)
    assert short.shape == long.shape == (3, 320, 720)
    assert short.dtype == long.dtype == torch.uint8
    assert (short != long).any()


def test_a_player_with_more_than_one_parameter_is_refused(compose):
    with pytest.raises(ConfigError, match="networks.discriminator has 2"):
        build_game(compose("experiment=bilinear", "data.channels=2"), DataShape((2,)), torch.device("cpu"))
