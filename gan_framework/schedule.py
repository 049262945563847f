"""The contract of a schedule: who moves when."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import Tensor, nn

from gan_framework.types import Draw

if TYPE_CHECKING:
    from gan_framework.game import Game


class Schedule(nn.Module, ABC):
    """Plays one iteration of a game. State that must survive a resume is held in buffers."""

    @abstractmethod
    def step(self, game: Game, draw: Draw) -> dict[str, Tensor]:
        """Let the players move and return what they measured, by name, as detached tensors.

        Scalars are losses (`<player>/<loss or term>`); vectors are logits (`real`, `fake`), which
        are only summarised when a log line is due.
        """
