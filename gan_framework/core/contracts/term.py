"""The contract of a term: any further summand of a player's objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

if TYPE_CHECKING:
    from gan_framework.core.game import Game
    from gan_framework.core.pair import Pair
    from gan_framework.core.player import Player


class Term(nn.Module, ABC):
    """A summand of a player's objective, before its weight.

    State that must survive a resume is held in buffers (or `get_extra_state`).

    Attributes:
        differentiates_twice: whether the loss has a network's gradient in it, which compiled networks cannot give.
        differentiates: the sides, `real` and `fake`, of which it reads `Pair.input_gradient`.
        of_weights: whether it reads no pair, so that it is computed once, however many its player faces.
    """

    differentiates_twice: ClassVar[bool] = False
    differentiates: ClassVar[tuple[str, ...]] = ()
    of_weights: ClassVar[bool] = False

    @abstractmethod
    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the scalar that the player adds to its losses for this pair."""

    def check(self, game: Game, player: Player) -> None:  # noqa: B027 (most terms fit every game)
        """Raise ConfigError, naming both parts, if the term has no effect in this game."""

    def after_update(self, pair: Pair, player: Player) -> None:  # noqa: B027 (most terms keep nothing)
        """Adapt what the term keeps, once after an update of its player in which it had a part.

        It is never called where a loss is only measured or looked ahead at. What is kept must be equal
        in all processes: average what one of them has measured with `distributed.mean`.
        """

    def update_key(self, updates: int) -> Hashable:
        """Return what its part in the update after so many others follows from that count, beside tensors.

        Captured steps are repeated where keys are equal (`train.cuda_graph`), so a term that asks for
        `player.updates` says here what it makes of them.
        """
        return None

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return what a reader wants to see beside the losses, by name; asked when a log line is due."""
        return {}

    def attach(self, game: Game) -> None:
        """Take up the game, for terms that ask a network of it which no pair has."""
        # Kept in a tuple: the game owns the term, and must not be registered in it.
        self._game = (game,)

    @property
    def game(self) -> Game:
        """The game that the term has a part in."""
        return self._game[0]
