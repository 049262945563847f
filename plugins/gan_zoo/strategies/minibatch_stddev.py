"""Minibatch standard deviation."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator, Game, Strategy
from gan_zoo.batch_statistic import choose_critics, see_batch


def mean_deviation(features: Tensor) -> Tensor:
    """Return the standard deviation over the batch of each of the features (N, A), averaged: a scalar."""
    # A small constant keeps the gradient finite where samples are equal; half precision does not know one so small.
    features = features.to(torch.promote_types(features.dtype, torch.float32))
    return features.var(dim=0, correction=0).add(1e-8).sqrt().mean()


class MeanDeviation(nn.Module):
    """The same average standard deviation of the batch's features for every sample."""

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, A) to (N, 1)."""
        return mean_deviation(features).expand(len(features), 1)


class MinibatchStddev(Strategy):
    """D sees how much its batch varies: minibatch discrimination at hardly any cost (Karras et al. 2018, section 3).

    arXiv 1710.10196. The figure is concatenated to the penultimate features before the discriminator's
    last layer, where the paper does so before its last block.

    Args:
        networks: the discriminators; all if null.
    """

    def __init__(self, networks: list[str] | None) -> None:
        self.networks = networks

    def apply(self, game: Game) -> None:
        """Widen the last layer of the discriminators."""
        for name in choose_critics(game, self.networks, "minibatch_stddev"):
            see_batch(cast(Discriminator, game.network(name)), MeanDeviation(), 1, "minibatch_stddev")
