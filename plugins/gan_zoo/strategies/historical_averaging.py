"""Historical averaging of the players' parameters."""

from __future__ import annotations

from gan_framework.core.contracts.strategy import Strategy
from gan_framework.core.game import Game
from gan_zoo.terms.historical_averaging import HistoricalAveraging as HistoricalAveragingTerm


class HistoricalAveraging(Strategy):
    """Players pay for straying from their past (Salimans et al. 2016, arXiv 1606.03498, section 3.3).

    Args:
        players: whose costs gain the term; all players' if null.
        weight: of the squared distance.
    """

    applies_last = True

    def __init__(self, players: list[str] | None, weight: float) -> None:
        if players == []:
            raise ValueError("players=[]: name at least one player, or write null for all")
        if not weight > 0:
            raise ValueError(f"weight={weight}: it must be positive")
        self.players = players
        self.weight = weight

    def apply(self, game: Game) -> None:
        """Give each chosen player the term."""
        for name in self.players if self.players is not None else list(game.players):
            player = game.player(name)
            term = HistoricalAveragingTerm(game.trainable(player.networks))
            player.add_term("historical_averaging", term, self.weight)
