"""Feature matching for the generator."""

from __future__ import annotations

from gan_framework.core.contracts.strategy import Strategy
from gan_framework.core.game import Game
from gan_framework.errors import ConfigError
from gan_zoo.terms.feature_matching import FeatureMatching as FeatureMatchingTerm

MODES = ("replace", "add")


class FeatureMatching(Strategy):
    """G matches the mean of D's inner features on real samples (Salimans et al. 2016, arXiv 1606.03498, section 3.1).

    Args:
        mode: `replace` the generator's adversarial loss as in the paper, or `add` to it.
        weight: of the distance.
        layer: which of the discriminator's features, 0 the first; negative numbers count from the last.
    """

    def __init__(self, mode: str, weight: float, layer: int) -> None:
        if mode not in MODES:
            raise ValueError(f"mode={mode!r}: choose {' or '.join(MODES)}")
        if not weight > 0:
            raise ValueError(f"weight={weight}: it must be positive")
        self.mode = mode
        self.weight = weight
        self.layer = layer

    def apply(self, game: Game) -> None:
        """Give the generator the term, in place of its adversarial loss or beside it."""
        generator = game.player("generator")
        features = len(game.probe().features)
        if features == 0:
            raise ConfigError(
                f"feature_matching has no effect on {type(game.discriminator).__name__}, which reports no features"
            )
        if not -features <= self.layer < features:
            raise ConfigError(
                f"feature_matching.layer={self.layer}: {type(game.discriminator).__name__} reports {features} layers, "
                f"{-features} to {features - 1}"
            )
        if self.mode == "replace":
            game.claim("adversarial loss of the generator", "feature_matching")
            generator.side = None
        generator.add_term("feature_matching", FeatureMatchingTerm(self.layer), self.weight)
