"""The contract of a strategy: an edit of a game before it is played."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gan_framework.core.game import Game


class Strategy(ABC):
    """Edits a game: swaps its schedule, wraps a network, adds a term, sets a loss's target.

    Attributes:
        applies_last: whether it is applied after all others, because it copies or follows what they edit.
    """

    applies_last: bool = False

    @abstractmethod
    def apply(self, game: Game) -> None:
        """Edit the game in place.

        Raises:
            ConfigError: another part of the game contradicts the strategy or leaves it without
                effect; the message names both.
        """
