"""The contract of a term: any further summand of a player's objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

if TYPE_CHECKING:
    from gan_framework.core.game import Game
    from gan_framework.core.pair import Round
    from gan_framework.core.player import Player


class Term(nn.Module, ABC):
    """A summand of a player's objective, before its weight.

    State that must survive a resume is held in buffers (or `get_extra_state`).

    Attributes:
        differentiates_twice: whether the loss has a network's gradient in it, which compiled networks cannot give.
    """

    differentiates_twice: ClassVar[bool] = False

    @abstractmethod
    def forward(self, round: Round, player: Player) -> Tensor:
        """Return the scalar that the player adds to its losses in this round."""

    def check(self, game: Game, player: Player) -> None:  # noqa: B027 (most terms fit every game)
        """Raise ConfigError, naming both parts, if the term has no effect in this game."""
