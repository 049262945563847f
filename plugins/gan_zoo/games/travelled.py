"""Games of few parameters, which remember where their players have been."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from gan_framework.api import Components, Game, NextBatch


class Travelled(Game):
    """The base of games that draw their players' path, which is in the checkpoint."""

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        self._path = [self.position().cpu()]

    @abstractmethod
    def position(self) -> Tensor:
        """Return where the players are (P,), detached."""

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, and remember where it led."""
        measured = super().step(next_batch)
        self._path.append(self.position().cpu())
        return measured

    @property
    def path(self) -> Tensor:
        """Where the players were, (steps + 1, P)."""
        return torch.stack(self._path)

    def get_extra_state(self) -> dict[str, Any]:
        """Return the path."""
        return {"path": self.path}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take up the path."""
        self._path = list(state["path"])
