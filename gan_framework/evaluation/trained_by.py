"""Whether a model was trained by the very network that scores it: such scores flatter it."""

from __future__ import annotations

from gan_framework.core.game import Game
from gan_framework.errors import ConfigError
from gan_framework.evaluation.extractor import Extractor
from gan_framework.weights.pretrained import named


def has_pretrained(game: Game) -> bool:
    """Return whether a network in a game came with its weights, so that an extractor may be the same."""
    return next(named(game), None) is not None


def places_of(game: Game, extractor: Extractor) -> list[str]:
    """Return where in a game a prepared extractor's network is, by its weights: `networks.discriminator.network`."""
    own = extractor.fingerprint()
    return [place for place, _, found in named(game) if found.sha256.startswith(own)]


def refuse_judges(game: Game, extractor: Extractor) -> None:
    """Raise ConfigError, naming both, if a discriminator looks through the network of a prepared extractor.

    A generator that is trained to have these features right is near the data in them, and need not be so elsewhere
    (Kynkäänniemi et al. 2023, arXiv 2203.06026, of FID and discriminators with ImageNet's features).
    """
    within = tuple(f"networks.{name}." for name in game.critics)
    judging = [place for place in places_of(game, extractor) if f"{place}.".startswith(within)]
    if judging:
        name = judging[0].split(".")[1]
        raise ConfigError(
            f"extractor={extractor.name} has the features that networks.{name} judges by ({judging[0]}): scores by "
            "them would flatter a model that was trained to have them right. Choose another extractor: inception, "
            "dinov2, clip, or classifier for data with classes"
        )


def doubt(places: list[str], extractor: Extractor) -> str:
    """Return what is to be said of scores of a model that was trained by the extractor's network, at these places."""
    return (
        f"extractor={extractor.name} has the features that this model was trained by ({', '.join(places)}): scores by "
        "them flatter it, and are not compared with those of other models"
    )
