"""The gradient penalty of WGAN-GP."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gan_framework.errors import ConfigError
from gan_framework.game import Game
from gan_framework.player import Player
from gan_framework.round import Round
from gan_framework.term import Term


def input_gradient(score: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return the gradient of each sample's score with respect to that sample, flat (N, D), differentiable."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(score(x).sum(), x, create_graph=True)
    return gradient.flatten(1)


def between(real: Tensor, fake: Tensor) -> Tensor:
    """Return points on the lines between real and generated samples, with a factor per sample."""
    factor = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
    return torch.lerp(real, fake.to(real.dtype), factor)


def require_independent_samples(game: Game, term: str) -> None:
    """Raise ConfigError if the discriminator's score of one sample depends on the others beside it."""
    if any(isinstance(layer, torch.nn.modules.batchnorm._BatchNorm) for layer in game.discriminator.modules()):
        raise ConfigError(
            f"{term} needs a discriminator that judges each sample alone, but "
            f"{type(game.discriminator).__name__} has batch norm; set networks.discriminator.norm=layer or none"
        )


class GradientPenalty(Term):
    """E (‖∇f(x̂)‖ - 1)², x̂ between real and generated samples (Gulrajani et al. 2017, arXiv 1704.00028, equation 3).

    It is computed in float32 whatever the run's precision.

    Args:
        one_sided: penalise only norms above 1 (section 4, "two-sided penalty").
    """

    def __init__(self, one_sided: bool) -> None:
        super().__init__()
        self.one_sided = one_sided

    def check(self, game: Game, player: Player) -> None:
        """Raise ConfigError if the discriminator has batch norm (section 4, "no critic batch normalization")."""
        require_independent_samples(game, "gradient_penalty")

    def forward(self, round: Round, player: Player) -> Tensor:
        """Return the penalty at points between this round's samples."""
        labels = round.batch.labels
        x = between(round.real, round.fake)
        gradient = input_gradient(lambda x: round.discriminate(x, labels, full_precision=True).logits, x)
        excess = gradient.norm(dim=1) - 1
        if self.one_sided:
            excess = excess.clamp(min=0)
        return excess.square().mean()
