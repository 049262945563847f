"""Feature matching."""

from __future__ import annotations

from torch import Tensor

from gan_framework.core.contracts.term import Term
from gan_framework.core.pair import Round
from gan_framework.core.player import Player


def squared_mean_distance(real: Tensor, fake: Tensor) -> Tensor:
    """Return the squared distance ‖E real - E fake‖² of the means of two batches of features (N, ...)."""
    return (real.mean(dim=0) - fake.mean(dim=0)).square().sum()


class FeatureMatching(Term):
    """‖E f(x) - E f(G(z))‖² (Salimans et al. 2016, arXiv 1606.03498, section 3.1), f an inner layer of D.

    Args:
        layer: which of the discriminator's features, 0 the first; negative numbers count from the last.
    """

    def __init__(self, layer: int) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, round: Round, player: Player) -> Tensor:
        """Return the distance of this round's mean features; only the generated side has a gradient."""
        real = round.on_real.features[self.layer].detach()
        fake = round.on_fake.features[self.layer]
        wide = round.real.dtype
        return squared_mean_distance(real.to(wide), fake.to(wide))
