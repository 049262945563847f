"""Dropout consistency: two passes of the same samples, with other units dropped, say nearly the same."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import ConfigError, Game, Pair, Player, Term
from gan_zoo.ranges import require_not_negative
from gan_zoo.terms.sides import name_of, trained_judges

DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
OF_FEATURES = 0.1
"""What the distance of penultimate features counts."""


class DropoutConsistency(Term):
    """E [(D'(x) - D''(x))² + 0.1 · mean (φ'(x) - φ''(x))² - margin]₊ (CT-GAN, Wei et al. 2018, arXiv 1803.01541).

    D' and D'' are two passes with dropout of their own, φ their penultimate features; equation 5.

    Args:
        margin: M, distances up to which cost nothing; 0 in the authors' program, up to 0.2 in the paper.
    """

    def __init__(self, margin: float) -> None:
        super().__init__()
        require_not_negative(margin=margin)
        self.margin = margin

    def check(self, game: Game, player: Player) -> None:
        """See that the term reaches a discriminator with dropout.

        Raises:
            ConfigError: the player does not update one that judges what it faces, or nothing in it is dropped.
        """
        for network in trained_judges(self, game, player):
            layers = [layer for layer in game.network(network).modules() if isinstance(layer, DROPOUTS)]
            if not any(layer.p > 0 for layer in layers):
                raise ConfigError(
                    f"{name_of(self, player)} compares passes with other units dropped, and "
                    f"{type(game.network(network)).__name__} drops none; set networks.{network}.dropout above 0, or "
                    "choose a discriminator with dropout"
                )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over real samples."""
        one, other = pair.real_output, pair.judge(pair.real, pair.real_labels, *pair.real_given)
        scores = (one.scores - other.scores).square()
        features = (one.features[-1] - other.features[-1]).flatten(1).square().mean(1)
        return F.relu(scores + OF_FEATURES * features - self.margin).mean()
