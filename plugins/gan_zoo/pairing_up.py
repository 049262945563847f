"""How a strategy changes what a game's judges compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gan_framework.api import Batch, Game, Latent, Pair


def change_pairs(game: Game, change: Callable[[Pair], Pair]) -> None:
    """Have every pair of a game changed as soon as it is made, before anybody is asked about it.

    Args:
        game: the game.
        change: returns the pair that takes a pair's place.
    """
    made = game.pairs

    def changed(batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        return {name: change(pair) for name, pair in made(batch, latent).items()}

    game.pairs = changed  # type: ignore[method-assign]
