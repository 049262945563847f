"""Spectral normalisation."""

from __future__ import annotations

from torch import nn
from torch.nn.utils import parametrizations, parametrize

from gan_framework.api import ConfigError, Game, Strategy

LAYERS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    nn.Linear,
    nn.Embedding,
)


class SpectralNorm(Strategy):
    """Weights are divided by their largest singular value (SNGAN, Miyato et al. 2018, arXiv 1802.05957, section 2.1).

    It normalises the convolution, linear and embedding layers that the networks have when it is
    applied, so it comes after strategies that add layers (minibatch_discrimination). The singular
    value is followed by power iteration, one in every forward pass.

    Args:
        networks: the names of the networks to normalise; all discriminators if null.
        power_iterations: in every forward pass of training.
    """

    def __init__(self, networks: list[str] | None, power_iterations: int) -> None:
        if networks == []:
            raise ValueError("networks=[]: name at least one network, or write null for all discriminators")
        if power_iterations < 1:
            raise ValueError(f"power_iterations={power_iterations}: it must be at least 1")
        self.networks = networks
        self.power_iterations = power_iterations

    def apply(self, game: Game) -> None:
        """Normalise the weights of the networks."""
        for name in game.critics if self.networks is None else self.networks:
            if name not in game.networks:
                raise ConfigError(
                    f"strategy.spectral_norm.networks: the game has no network {name!r}; "
                    f"its networks are {', '.join(game.networks)}"
                )
            game.claim(f"norm of the weights of networks.{name}", "spectral_norm")
            self._normalise(name, game.networks[name])

    def _normalise(self, name: str, network: nn.Module) -> None:
        layers = [layer for layer in network.modules() if isinstance(layer, LAYERS)]
        if not layers:
            raise ConfigError(
                f"spectral_norm has no effect on networks.{name}: {type(network).__name__} has no convolution, "
                "linear or embedding layer"
            )
        if any(parametrize.is_parametrized(layer, "weight") for layer in layers):
            raise ConfigError(f"networks.{name} is normalised already: leave out strategy.spectral_norm, or its own")
        for layer in layers:
            parametrizations.spectral_norm(layer, n_power_iterations=self.power_iterations)
