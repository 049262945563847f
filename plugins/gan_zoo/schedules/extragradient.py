"""Steps along the gradient at a point ahead."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Game, NextBatch, Player, Schedule
from gan_zoo.schedules.simultaneous import evaluate_all


class Extragradient(Schedule):
    """All players step ahead, find their gradients there, go back, and step along these (Gidel et al. 2019).

    A Variational Inequality Perspective on GANs, arXiv 1802.10551. The steps are those of each player's own optimizer,
    whose moments take in both gradients (ExtraAdam with `optimizer=adam`).

    Args:
        past: step ahead along the gradients of the last step, which saves half of the passes; the first step has none.
    """

    def __init__(self, past: bool) -> None:
        super().__init__()
        self.past = past
        self.gradients: dict[str, list[Tensor | None]] = {}

    def check(self, game: Game) -> None:
        """See that optimizers can step without a scaler.

        Raises:
            ConfigError: the run is in fp16.
        """
        if game.precision.name == "fp16":
            raise ConfigError("schedule=extragradient takes steps back, and fp16 scales them: choose bf16 or fp32")

    def step(self, game: Game, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step."""
        players = [player for team in game.teams() for player in team]
        here = [[p.detach().clone() for p in player.trained] for player in players]
        if not self.past:
            evaluate_all(game, next_batch)
            self._ahead(players, {player.name: player.gradients for player in players})
        elif self.gradients:
            self._ahead(players, self.gradients)

        updates, measured = evaluate_all(game, next_batch)
        if self.past:
            self.gradients = {player.name: player.gradients for player in players}
        with torch.no_grad():
            for player, values in zip(players, here, strict=True):
                for parameter, value in zip(player.trained, values, strict=True):
                    parameter.copy_(value)
        for player, total, meeting in updates:
            for parameter, gradient in zip(player.trained, player.gradients, strict=True):
                parameter.grad = gradient
            player.step(total, meeting)
        return measured

    def _ahead(self, players: list[Player], gradients: dict[str, list[Tensor | None]]) -> None:
        for player in players:
            for parameter, gradient in zip(player.trained, gradients[player.name], strict=True):
                # Those of a checkpoint are on the CPU.
                parameter.grad = None if gradient is None else gradient.to(parameter.device)
            player.optimizer.step()

    def get_extra_state(self) -> dict[str, Any]:
        """Return the gradients of the last step."""
        return {"gradients": self.gradients}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take up the gradients of the last step."""
        self.gradients = state["gradients"]
