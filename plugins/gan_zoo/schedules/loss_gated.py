"""A schedule in which a player moves only while its last loss is high."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import torch
from torch import Tensor

from gan_framework.core import distributed
from gan_framework.core.contracts.schedule import Schedule
from gan_framework.core.game import Game
from gan_framework.core.player import Player
from gan_framework.core.records import Batch, Draw


class LossGated(Schedule):
    """Each gated player in turn moves if its last loss, summed over its terms, is above its threshold.

    Every move measures the losses of all gated players, at the parameters before the move, on one
    real batch for the whole iteration and a generated batch of the move's own; these are the last
    losses from then on. When no gate is open, the losses are measured without a move, so that
    another batch can open one. Players without a gate move once, at the end.

    Args:
        thresholds: by player, in the order in which they take their turns.
        starts: what stands in for each player's last loss before anything has been measured.
    """

    def __init__(self, thresholds: Mapping[str, float], starts: Mapping[str, float]) -> None:
        super().__init__()
        self.thresholds = dict(thresholds)
        for name in thresholds:
            self.register_buffer(f"last_{name}", torch.tensor(float(starts[name])))

    def last_loss(self, player: str) -> Tensor:
        """Return a player's last loss."""
        return self.get_buffer(f"last_{player}")

    def step(self, game: Game, draw: Draw) -> dict[str, Tensor]:
        """Play one iteration."""
        gated = [game.player(name) for name in self.thresholds]
        batch = draw()
        measured: dict[str, Tensor] = {}

        for player in gated:
            if self.last_loss(player.name) > self.thresholds[player.name]:
                measured |= self._measure(game, batch, gated, mover=player)
        if not measured:
            measured |= self._measure(game, batch, gated, mover=None)

        for player in chain(*game.sides()):
            if player not in gated:
                measured |= player.play(game.meet(batch))
        return measured

    def _measure(self, game: Game, batch: Batch, gated: list[Player], mover: Player | None) -> dict[str, Tensor]:
        round = game.meet(batch, graph=mover in game.sides()[1])
        losses = {player.name: player.evaluate(round) for player in gated}
        if mover is not None:
            mover.move(losses[mover.name])
        for name, of_player in losses.items():
            total = torch.stack([loss.detach() for loss in of_player.values()]).sum()
            self.last_loss(name).copy_(distributed.mean(total))  # so that all processes move the same players
        measured = {f"{name}/{part}": loss.detach() for name, parts in losses.items() for part, loss in parts.items()}
        return measured | round.logits()
