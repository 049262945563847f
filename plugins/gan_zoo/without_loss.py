"""Games whose players' objectives are terms alone."""

from __future__ import annotations

from gan_framework.api import ConfigError, Game


def refuse_loss(game: Game, name: str) -> None:
    """Raise ConfigError if a game has an adversarial loss, which nobody in it would minimise.

    Args:
        game: the game.
        name: what it is called in configurations.
    """
    if game.loss is not None:
        raise ConfigError(
            f"game={name} has objectives of its own, and nobody in it minimises {type(game.loss).__name__}: "
            "set loss=null"
        )
