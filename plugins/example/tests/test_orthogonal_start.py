import pytest
import torch
from gan_framework.api import ConfigError
from gan_framework.testing import PluginContract
from torch import nn

from gan_framework_example.orthogonal_start import OrthogonalStart


class TestContract(PluginContract):
    kind = "strategies"
    name = "orthogonal_start"


class Two:
    """Something with networks, as a game has them."""

    def __init__(self):
        self.networks = nn.ModuleDict({"generator": nn.Linear(3, 5), "discriminator": nn.Flatten()})


def test_the_weights_are_orthogonal():
    game = Two()
    OrthogonalStart(["generator"], gain=2.0).apply(game)
    weight = game.networks["generator"].weight
    assert torch.allclose(weight.T @ weight, 4 * torch.eye(3), atol=1e-5)


def test_networks_that_it_cannot_change_are_refused():
    with pytest.raises(ConfigError, match="no effect on networks.discriminator"):
        OrthogonalStart(["discriminator"], gain=1.0).apply(Two())
    with pytest.raises(ConfigError, match="no network 'q'; the game has generator, discriminator"):
        OrthogonalStart(["q"], gain=1.0).apply(Two())
