"""Two latents in one sample."""

from __future__ import annotations

from gan_framework.api import ConfigError, Game, Strategy
from gan_zoo.mapping import StyleGenerator
from gan_zoo.priors.normal import Normal
from gan_zoo.ranges import require_share


class StyleMixing(Strategy):
    """From a random layer on a sample has the styles of a second latent (StyleGAN, Karras et al. 2019, section 3.1).

    arXiv 1812.04948. In training alone, so that neighbouring layers do not come to rely on each other's styles.

    Args:
        probability: that a sample is mixed.
    """

    def __init__(self, probability: float) -> None:
        require_share(probability=probability)
        self.probability = probability

    def apply(self, game: Game) -> None:
        """Have all generators with a mapping network mix."""
        networks = [game.network(name) for name in game.generators]
        mixing = [network for network in networks if isinstance(network, StyleGenerator)]
        if not mixing:
            made = ", ".join(type(network).__name__ for network in networks) or "none"
            raise ConfigError(
                f"style_mixing needs a generator with a style for each layer, as stylegan2 is, and there is {made}"
            )
        if not isinstance(game.prior, Normal):
            raise ConfigError(
                f"style_mixing draws normal latents, and the prior is {type(game.prior).__name__}: choose prior=normal"
            )
        for network in mixing:
            network.mixing = self.probability
