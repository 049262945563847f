"""The norm of a discriminator's last layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gan_framework.api import ConfigError, Game, Pair, Player, Term
from gan_zoo.terms.sides import name_of, trained_judges


class SVMNorm(Term):
    """½ ‖w‖² of the last layer's weights w, which with the hinge loss makes D a soft-margin SVM in its features.

    Geometric GAN (Lim & Ye 2017, arXiv 1705.02894).
    """

    of_weights = True

    def check(self, game: Game, player: Player) -> None:
        """See that the player updates a discriminator with a last layer.

        Raises:
            ConfigError: it updates none, or its discriminator has no layer named `output`.
        """
        for network in trained_judges(self, game, player):
            if not isinstance(getattr(game.network(network), "output", None), nn.Linear | nn.Conv2d):
                kind = type(game.network(network)).__name__
                raise ConfigError(f"{name_of(self, player)} has no effect on {kind}, which has no last layer `output`")

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return half the squared norm."""
        name = name_of(self, player)
        layers: list[Any] = [self.game.network(network).output for network in self.game.judges_of(player, name)]
        norm: Tensor = torch.stack([layer.weight.square().sum() for layer in layers]).sum() / 2
        return norm
