"""What schedules ask of a game in which one side waits for the other."""

from __future__ import annotations

from gan_framework.api import ConfigError, Game


def require_both_sides(game: Game, schedule: str) -> None:
    """Raise ConfigError if a game has no player on one of the sides, so that nobody can be waited for."""
    discriminators, generators, _ = game.teams()
    if not discriminators or not generators:
        raise ConfigError(
            f"schedule={schedule} has one side wait for the other, and {type(game).__name__} has not both: set "
            "schedule=alternating"
        )
