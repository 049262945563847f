"""Adaptive discriminator augmentation (Karras et al. 2020, arXiv 2006.06676), with two of its augmentations."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import Game, Pair, Player, Strategy, Term, distributed


class Augment(nn.Module):
    """Mirrors samples (N, ...) along their last axis and adds a brightness, each of both with probability p."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("p", torch.tensor(0.0))

    def forward(self, x: Tensor) -> Tensor:
        """Return the samples augmented, each in its own way."""
        alike = (len(x), *[1] * (x.ndim - 1))
        mirrored, brighter = (torch.rand(alike, device=x.device) < self.p for _ in range(2))
        x = torch.where(mirrored, x.flip(-1), x)
        return torch.where(brighter, x + 0.2 * torch.randn(alike, device=x.device), x)

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return the probability."""
        return {"p": self.p}


class Overfitting(Term):
    """Adds nothing; moves p by what E sign(D(x)) says of the discriminator's overfitting (section 3, r_t)."""

    def __init__(self, augment: Augment, target: float, rate: float) -> None:
        super().__init__()
        self.target = target
        self.rate = rate
        # Kept in a tuple: it belongs to the game, and must not be registered twice.
        self._augment = (augment,)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return 0."""
        return pair.fake.new_zeros(())

    def after_update(self, pair: Pair, player: Player) -> None:
        """Move p one step up where the discriminator is too sure of the real samples, else one down."""
        sure = distributed.mean(pair.logits()["real"].sign().mean())
        (augment,) = self._augment
        augment.p.add_(self.rate * (sure - self.target).sign()).clamp_(0, 1)


class ADA(Strategy):
    """What discriminators see is augmented with a probability that follows their overfitting.

    Args:
        target: the E sign(D(x)) that is aimed at.
        rate: how far the probability moves in an update.
    """

    def __init__(self, target: float, rate: float) -> None:
        self.target = target
        self.rate = rate

    def apply(self, game: Game) -> None:
        """Put the augmentation before the judges, and let it follow the discriminator's updates."""
        game.claim("adaptive augmentation", "ada")
        augment = Augment()
        game.transforms.append(augment)
        for player in game.teams()[0]:
            player.add_term("overfitting", Overfitting(augment, self.target, self.rate))
