"""The contracts of a schedule, who moves when, and of an opening, what comes before the first iteration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import Tensor, nn

from gan_framework.core.records import Draw

if TYPE_CHECKING:
    from gan_framework.core.game import Game


class Schedule(nn.Module, ABC):
    """Plays one iteration of a game. State that must survive a resume is held in buffers."""

    @abstractmethod
    def step(self, game: Game, draw: Draw) -> dict[str, Tensor]:
        """Let the players move and return what they measured, by name, as detached tensors.

        Scalars are losses (`<player>/<loss or term>`); vectors are logits (`real`, `fake`), which
        are only summarised when a log line is due.
        """


class Opening(nn.Module, ABC):
    """Is played once, before the first iteration (pretraining, choosing a reference batch)."""

    def __init__(self) -> None:
        super().__init__()
        self.over = False

    @abstractmethod
    def play(self, game: Game, draw: Draw) -> None:
        """Play the opening."""

    def forward(self, game: Game, draw: Draw) -> None:
        """Play the opening unless it is over."""
        if not self.over:
            self.play(game, draw)
            self.over = True

    def get_extra_state(self) -> dict[str, bool]:
        """Return whether the opening is over."""
        return {"over": self.over}

    def set_extra_state(self, state: dict[str, bool]) -> None:
        """Take up whether the opening is over."""
        self.over = state["over"]
