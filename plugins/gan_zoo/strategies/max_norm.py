"""A bound on the norm of each unit's incoming weights."""

from __future__ import annotations

import torch
from torch import nn

from gan_framework.api import ConfigError, Game, Strategy
from gan_zoo.ndims import ALL, TRANSPOSED
from gan_zoo.ranges import require_above_zero

TRANSPOSES = tuple(TRANSPOSED.values())
"""Layers whose weights have the units that they feed on the second axis."""


class MaxNorm(nn.Module):
    """Scales each unit's incoming weights to a norm where they exceed it, once for every call.

    Args:
        layers: linear layers and convolutions; a unit of a convolution is a channel that it puts out.
        bound: the largest norm.
    """

    owner = "strategy.max_norm"

    def __init__(self, layers: list[nn.Module], bound: float) -> None:
        super().__init__()
        # Kept in a tuple: the layers belong to the game, and must not be registered twice.
        self._layers = tuple(layers)
        self.bound = bound

    def changes(self, game: Game) -> list[nn.Parameter]:
        """Return the weights that it changes by itself."""
        return [weight for layer in self._layers if isinstance(weight := layer.weight, nn.Parameter)]

    @torch.no_grad()
    def forward(self) -> None:
        """Scale in place."""
        for layer in self._layers:
            weight = layer.weight
            assert isinstance(weight, nn.Parameter)
            weight.renorm_(2, 1 if isinstance(layer, TRANSPOSES) else 0, self.bound)


class MaxNormStrategy(Strategy):
    """After each update, no unit's incoming weights w have a norm ‖w‖ > c (Srivastava et al. 2014, section 5.1).

    It lets networks with dropout train at great learning rates, as the maxout networks of the first GAN did
    (Goodfellow et al. 2014, arXiv 1406.2661): their published settings have c = 1.9365.

    Args:
        networks: whose linear layers and convolutions are bounded; all that a player updates if null.
        bound: c.
    """

    applies_last = True

    def __init__(self, networks: list[str] | None, bound: float) -> None:
        require_above_zero(bound=bound)
        self.networks = networks
        self.bound = bound

    def apply(self, game: Game) -> None:
        """Bound the weights after every update of their player.

        Raises:
            ConfigError: no player updates a network that is named, or one has no such layers.
        """
        players = [game.player(name) for name in game.players]
        updated = list(dict.fromkeys(name for player in players for name in player.networks))
        for name in self.networks or ():
            if name not in updated:
                raise ConfigError(
                    f"strategy.max_norm.networks: no player updates {name!r}; they update {', '.join(updated)}"
                )
        layers = {name: _layers(game, name) for name in self.networks or updated}
        if empty := [name for name, found in layers.items() if not found and (self.networks or len(layers) == 1)]:
            raise ConfigError(
                f"max_norm has no effect on networks.{empty[0]}, which has no linear layer and no convolution"
            )
        for name in layers:
            game.claim(f"norm of the weights of networks.{name}", "max_norm")
        for player in players:
            for name in player.networks:
                if layers.get(name):
                    player.after_step.append(MaxNorm(layers[name], self.bound))


def _layers(game: Game, name: str) -> list[nn.Module]:
    return [layer for layer in game.network(name).modules() if isinstance(layer, ALL)]
