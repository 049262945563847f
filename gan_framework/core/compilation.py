"""Compiling networks with torch.compile."""

from __future__ import annotations

from gan_framework.core.game import Game
from gan_framework.errors import ConfigError


def compile_networks(game: Game) -> None:
    """Have torch compile the networks that players move, each when it is first called.

    Raises:
        ConfigError: a player's objective has a gradient in it, and a compiled network cannot be differentiated twice.
    """
    for player in map(game.player, game.players):
        twice = [f"terms.{name}" for name, term in player.terms.items() if getattr(term, "differentiates_twice", False)]
        twice += [
            f"the {player.name}'s {type(look_ahead).__module__.rpartition('.')[2]} steps"
            for look_ahead in player.look_aheads
            if getattr(look_ahead, "differentiates_twice", False)
        ]
        if twice:
            raise ConfigError(
                f"train.compile=true cannot go with {' and '.join(twice)}: a compiled network cannot be differentiated "
                "twice; set train.compile=false"
            )
    moved = {name for player in map(game.player, game.players) for name in player.networks}
    for name in moved:
        game.networks[name].compile()
