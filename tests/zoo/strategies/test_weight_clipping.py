"""Weight clipping against the step it clips."""

import numpy as np
import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.losses.wasserstein import Wasserstein
from gan_zoo.schedules.alternating import Alternating
from tests.helpers.independent import Critic, double_precision, image_game, images, wasserstein_step  # noqa: F401 (a fixture is among them)


def clipping(bound=0.3, **more):
    return registry.build("strategies", {"name": "weight_clipping", "networks": None, "bound": bound, **more})


def test_a_critic_step_is_the_gradient_step_clipped():
    game = image_game(Wasserstein(), start=False)
    clipping().apply(game)
    game.start(torch.device("cpu"))
    stepped = wasserstein_step(game)
    np.testing.assert_allclose(Critic(game).values, np.clip(stepped, -0.3, 0.3), atol=1e-9)
    assert (np.abs(stepped) > 0.3).any() and (np.abs(stepped) < 0.3).any()


def test_every_critic_step_is_clipped_and_no_generator_step():
    game = image_game(Wasserstein(), start=False, schedule=Alternating(d_steps=3, g_steps=1, share_fakes=True))
    clipping(0.05).apply(game)
    game.start(torch.device("cpu"))
    bounds = []
    inspect = torch.nn.Module()
    inspect.forward = lambda: bounds.append(np.abs(Critic(game).values).max())
    game.player("discriminator").after_step.append(inspect)
    game.step(images)
    assert len(bounds) == 3 and max(bounds) == pytest.approx(0.05)
    assert max(p.abs().max() for p in game.generator.parameters()) > 0.3


def test_clipping_and_another_bound_on_the_weights_are_refused():
    norm = registry.build("strategies", {"name": "spectral_norm", "networks": ["discriminator"], "power_iterations": 1})
    game = image_game(Wasserstein(), start=False)
    norm.apply(game)
    with pytest.raises(
        ConfigError,
        match=r"spectral_norm and weight_clipping both set the norm of the weights of networks\.discriminator",
    ):
        clipping().apply(game)


def test_clipping_and_the_gradient_penalty_are_refused():
    game = image_game(Wasserstein(), start=False)
    penalty = registry.build("terms", {"name": "gradient_penalty", "one_sided": False})
    game.player("discriminator").add_term("gradient_penalty", penalty)
    with pytest.raises(ConfigError, match="weight_clipping and gradient_penalty.*loss=wasserstein_gp"):
        clipping().apply(game)


def test_a_bound_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="bound=0"):
        clipping(0)


def test_a_game_without_a_discriminator_is_refused():
    game = image_game(start=False)
    del game.players["discriminator"]
    with pytest.raises(ConfigError, match="weight_clipping has no effect on Game: none of its players"):
        clipping().apply(game)


def test_a_part_is_clipped_and_the_rest_is_free():
    game = image_game(Wasserstein(), start=False)
    clipping(0.05, part=["output"]).apply(game)
    game.start(torch.device("cpu"))
    game.player("discriminator").play(game.meet(images()).detached())
    largest = {name: p.abs().max().item() for name, p in game.discriminator.named_parameters()}
    assert all((value <= 0.05 + 1e-12) == name.startswith("output.") for name, value in largest.items()), largest


def test_a_part_that_is_not_there_is_named():
    with pytest.raises(
        ConfigError, match=r"part: networks\.discriminator has no parameters in 'decoder'; it has .*output"
    ):
        clipping(part=["decoder"]).apply(image_game(Wasserstein(), start=False))
    with pytest.raises(ConfigError, match=r"part=\[\]: name what is clipped"):
        clipping(part=[])
