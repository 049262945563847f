"""The bound on units' incoming weights against norms by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.losses.wasserstein import Wasserstein
from gan_zoo.strategies.max_norm import MaxNorm
from tests.helpers.independent import Critic, double_precision, image_game, images, wasserstein_step  # noqa: F401 (a fixture is among them)


def bounded(bound, networks=None):
    return registry.build("strategies", {"name": "max_norm", "networks": networks, "bound": bound})


def matrices(network):
    """Return the weights with a row for each unit, by numpy; none of these networks has transposed convolutions."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    return [layer.weight.detach().numpy().reshape(len(layer.weight), -1) for layer in layers]


def test_rows_beyond_the_bound_are_scaled_to_it_and_the_others_stay():
    layer = nn.Linear(2, 3)
    layer.weight.data = torch.tensor([[3.0, 4.0], [0.3, -0.4], [0.0, 0.0]])
    bias = layer.bias.detach().clone()
    MaxNorm([layer], 2.0)()
    torch.testing.assert_close(layer.weight.detach(), torch.tensor([[1.2, 1.6], [0.3, -0.4], [0.0, 0.0]]))
    assert torch.equal(layer.bias, bias)


@pytest.mark.parametrize(("kind", "axis"), [(nn.Conv2d, 0), (nn.ConvTranspose2d, 1)])
def test_a_unit_of_a_convolution_is_a_channel_that_it_puts_out(kind, axis):
    layer = kind(3, 5, 2)
    before = layer.weight.detach().numpy().copy()
    norms = np.sqrt((before**2).sum(tuple(i for i in range(4) if i != axis), keepdims=True))
    bound = float(np.median(norms))
    MaxNorm([layer], bound)()
    np.testing.assert_allclose(layer.weight.detach().numpy(), before * np.minimum(1, bound / norms), rtol=1e-5)
    assert (norms > bound).any() and (norms < bound).any()


def test_a_step_is_the_gradient_step_scaled():
    game = image_game(Wasserstein(), start=False)
    bounded(0.4).apply(game)
    game.start(torch.device("cpu"))
    free = wasserstein_step(game)
    critic = Critic(game)
    hidden, bias, output, last = critic.split(free)
    norms = [np.linalg.norm(rows, axis=1, keepdims=True) for rows in (hidden, output[None])]
    expected = [hidden * np.minimum(1, 0.4 / norms[0]), bias, output * np.minimum(1, 0.4 / norms[1]), last]
    # torch's renorm adds 1e-7 to the norms that it divides by.
    np.testing.assert_allclose(critic.values, np.concatenate([part.ravel() for part in expected]), atol=1e-7)
    assert any((norm > 0.4).any() for norm in norms)


def test_both_sides_are_bounded_after_their_own_updates_unless_one_is_named():
    for networks, generator_free in ((None, False), (["discriminator"], True)):
        game = image_game(Wasserstein(), start=False)
        bounded(0.05, networks).apply(game)
        game.start(torch.device("cpu"))
        game.step(images)
        largest = {
            name: max(np.linalg.norm(rows, axis=1).max() for rows in matrices(game.network(name)))
            for name in ("generator", "discriminator")
        }
        assert largest["discriminator"] <= 0.05 + 1e-9
        assert (largest["generator"] > 0.05 + 1e-9) == generator_free


def test_another_bound_on_the_weights_is_refused():
    game = image_game(Wasserstein(), start=False)
    registry.build("strategies", {"name": "weight_clipping", "networks": None, "bound": 0.1}).apply(game)
    with pytest.raises(ConfigError, match=r"weight_clipping and max_norm both set the norm of the weights of"):
        bounded(1.0).apply(game)


def test_what_it_cannot_bound_is_named():
    with pytest.raises(ConfigError, match="bound=0"):
        bounded(0)
    with pytest.raises(ConfigError, match=r"max_norm\.networks: no player updates 'critic'; they update .*generator"):
        bounded(1.0, ["critic"]).apply(image_game(Wasserstein(), start=False))
