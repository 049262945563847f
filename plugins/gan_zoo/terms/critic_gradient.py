"""What the penalties on the gradient of the discriminator's score share."""

from __future__ import annotations

import inspect

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Discriminator, Game, Player, Term
from gan_zoo.batch_statistic import WithBatchStatistic
from gan_zoo.packs import refuse_packs
from gan_zoo.terms.sides import name_of, trained_judges


def between(a: Tensor, b: Tensor, factor: Tensor | None = None) -> Tensor:
    """Return points on the lines from samples a to samples b (N, ...).

    Args:
        a: where a factor of 0 lies.
        b: where a factor of 1 lies.
        factor: one for each sample (N,); uniform on [0, 1] if None.
    """
    if factor is None:
        factor = torch.rand(len(a), device=a.device, dtype=a.dtype)
    return torch.lerp(a, b.to(a.dtype), factor.view(-1, *[1] * (a.ndim - 1)).to(a.dtype))


class CriticGradientPenalty(Term):
    """The base of penalties on the gradient of the score; it is computed in float32 whatever the run's precision."""

    differentiates_twice = True

    def check(self, game: Game, player: Player) -> None:
        """See that the penalty reaches a discriminator, and that a sample's gradient is its own.

        Raises:
            ConfigError: the player does not update a discriminator that judges what it faces, or the discriminator has
                batch norm or another way to see a batch as a whole.
        """
        name = name_of(self, player)
        for network in trained_judges(self, game, player):
            _require_batch_independence(game, network, name)


def _require_batch_independence(game: Game, name: str, term: str) -> None:
    network = game.network(name)
    refuse_packs(game, name, term)
    # Heads have no part in the score.
    heads = set(network.heads.modules()) if isinstance(network, Discriminator) else set()
    for layer in network.modules():
        if layer in heads:
            continue
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
            has_setting = "norm" in inspect.signature(type(network)).parameters
            remedy = f"set networks.{name}.norm=layer or none" if has_setting else "choose another discriminator"
            raise ConfigError(
                f"{term} needs per-sample gradients, and {type(network).__name__} has batch norm, which couples the "
                f"samples of a batch; {remedy}"
            )
        if isinstance(layer, WithBatchStatistic):
            raise ConfigError(
                f"{term} needs per-sample gradients, and {layer.strategy} couples the samples of a batch: "
                "choose one of them"
            )
