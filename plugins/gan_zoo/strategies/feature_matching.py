"""Feature matching: the generator matches the mean of the discriminator's inner features."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Game, Pair, Player, Strategy, Term
from gan_zoo.matching import check_layer, check_settings, match


def squared_mean_distance(real: Tensor, fake: Tensor) -> Tensor:
    """Return the squared distance ‖E real - E fake‖² of the means of two batches of features (N, ...)."""
    return (real.mean(dim=0) - fake.mean(dim=0)).square().sum()


class FeatureMatchingTerm(Term):
    """‖E f(x) - E f(G(z))‖² (Salimans et al. 2016, arXiv 1606.03498, section 3.1), f an inner layer of D.

    Args:
        layer: which of the discriminator's features, 0 the first; negative numbers count from the last.
    """

    def __init__(self, layer: int) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance of this pair's mean features; what the real ones depend on has a gradient too."""
        real = pair.real_output.features[self.layer]
        fake = pair.fake_output.features[self.layer]
        wide = pair.real.dtype
        return squared_mean_distance(real.to(wide), fake.to(wide))


class FeatureMatching(Strategy):
    """G matches the mean of D's inner features on real samples (Salimans et al. 2016, arXiv 1606.03498, section 3.1).

    Args:
        mode: `replace` the generator's adversarial loss as in the paper, or `add` to it.
        weight: of the distance.
        layer: which of the discriminator's features, 0 the first; negative numbers count from the last.
    """

    def __init__(self, mode: str, weight: float, layer: int) -> None:
        check_settings(mode, weight)
        self.mode = mode
        self.weight = weight
        self.layer = layer

    def apply(self, game: Game) -> None:
        """Give the players on the generator's side the term, in place of their adversarial loss or beside it."""
        check_layer(game, "feature_matching", self.layer)
        match(game, "feature_matching", lambda: FeatureMatchingTerm(self.layer), self.mode, self.weight)
