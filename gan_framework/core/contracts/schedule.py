"""The contracts of a schedule, who is updated when, and of what comes before the first step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import Tensor, nn

from gan_framework.core.records import NextBatch

if TYPE_CHECKING:
    from gan_framework.core.game import Game


class Schedule(nn.Module, ABC):
    """Plays one step of a game. State that must survive a resume is held in buffers.

    Attributes:
        accumulates: whether all updates go through `Player.play`, so that a batch may be divided (`train.accumulate`).
        differentiates_twice: whether it differentiates gradients, which compiled networks cannot give.
    """

    accumulates: bool = False
    differentiates_twice: bool = False

    def check(self, game: Game) -> None:  # noqa: B027 (most fit every game)
        """Raise ConfigError, naming both parts, if the schedule cannot play the game."""

    @abstractmethod
    def step(self, game: Game, next_batch: NextBatch) -> dict[str, Tensor]:
        """Update the players and return what was measured, by name, as detached tensors.

        Scalars are losses (`<player>/<loss or term>`); vectors are logits (`real`, `fake`), which
        are only summarised when a log line is due.
        """


class BeforeFirstStep(nn.Module, ABC):
    """Is played once, before the first step (pretraining, choosing a reference batch)."""

    def __init__(self) -> None:
        super().__init__()
        self.over = False

    @abstractmethod
    def play(self, game: Game, next_batch: NextBatch) -> None:
        """Do what comes before the first step."""

    def forward(self, game: Game, next_batch: NextBatch) -> None:
        """Play it unless it is over."""
        if not self.over:
            self.play(game, next_batch)
            self.over = True

    def get_extra_state(self) -> dict[str, bool]:
        """Return whether it is over."""
        return {"over": self.over}

    def set_extra_state(self, state: dict[str, bool]) -> None:
        """Take up whether it is over."""
        self.over = state["over"]
