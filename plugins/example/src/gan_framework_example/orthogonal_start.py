"""Orthogonal weights at the start."""

from __future__ import annotations

import torch
from gan_framework.api import ConfigError, Game, Strategy
from torch import nn

LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


class OrthogonalStart(Strategy):
    """Networks start from orthogonal weights, as BigGAN's do (Brock et al. 2019, arXiv 1809.11096, section 3).

    Args:
        networks: the names of the networks.
        gain: the factor on the orthogonal matrices (Saxe et al. 2014, arXiv 1312.6120).
    """

    def __init__(self, networks: list[str], gain: float) -> None:
        if not gain > 0:
            raise ValueError(f"gain={gain}: it must be positive")
        self.networks = networks
        self.gain = gain

    def apply(self, game: Game) -> None:
        """Draw the weights of all linear and convolution layers anew."""
        for name in self.networks:
            if name not in game.networks:
                raise ConfigError(f"there is no network {name!r}; the game has {', '.join(game.networks)}")
            layers = [layer for layer in game.networks[name].modules() if isinstance(layer, LAYERS)]
            if not layers:
                raise ConfigError(f"it has no effect on networks.{name}, which has no linear or convolution layer")
            with torch.no_grad():
                for layer in layers:
                    nn.init.orthogonal_(layer.weight, self.gain)
