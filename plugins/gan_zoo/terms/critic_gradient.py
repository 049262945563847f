"""What the penalties on the gradient of the discriminator's score share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gan_framework.core.contracts.term import Term
from gan_framework.core.game import Game
from gan_framework.core.pair import Round
from gan_framework.core.player import Player
from gan_framework.errors import ConfigError
from gan_zoo.strategies.batch_statistic import WithBatchStatistic


def input_gradient(score: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return the gradient of each sample's score with respect to that sample, flat (N, D), differentiable."""
    # Points that follow from parameters (a look-ahead's generator) stay so; a view, because the score is to be
    # differentiated at the points and not along what they come from.
    x = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(score(x).sum(), x, create_graph=True)
    return gradient.flatten(1)


def between(a: Tensor, b: Tensor) -> Tensor:
    """Return points on the lines from samples a to samples b, with a uniform factor per sample."""
    factor = torch.rand(len(a), *[1] * (a.ndim - 1), device=a.device, dtype=a.dtype)
    return torch.lerp(a, b.to(a.dtype), factor)


class CriticGradientPenalty(Term):
    """The base of penalties on the gradient of the score; it is computed in float32 whatever the run's precision."""

    differentiates_twice = True

    def check(self, game: Game, player: Player) -> None:
        """See that the penalty reaches the discriminator, and that a sample's gradient is its own.

        Raises:
            ConfigError: the player does not move the discriminator, or the discriminator has batch norm
                or another way to see a batch as a whole.
        """
        discriminators = game.sides()[0]
        name = next(name for name, term in player.terms.items() if term is self)
        if player not in discriminators:
            raise ConfigError(
                f"terms.{name}.player={player.name}: {name} has no effect on a player that does not move the "
                f"discriminator; choose {' or '.join(other.name for other in discriminators) or 'another term'}"
            )
        heads = set(game.discriminator.heads.modules())  # which have no part in the score
        layers = [layer for layer in game.discriminator.modules() if layer not in heads]
        if any(isinstance(layer, torch.nn.modules.batchnorm._BatchNorm) for layer in layers):
            raise ConfigError(
                f"{name} needs a discriminator that judges each sample alone, but "
                f"{type(game.discriminator).__name__} has batch norm; set networks.discriminator.norm=layer or none"
            )
        for layer in layers:
            if isinstance(layer, WithBatchStatistic):
                raise ConfigError(
                    f"{name} needs a discriminator that judges each sample alone, but {layer.strategy} shows it the "
                    "batch as a whole: choose one of them"
                )

    def score_gradient(self, round: Round, x: Tensor, labels: Tensor | None) -> Tensor:
        """Return the gradients of the scores of samples x with respect to x, flat (N, D)."""
        x = x.to(round.real.dtype)
        return input_gradient(lambda x: round.discriminate(x, labels, full_precision=True).logits, x)
