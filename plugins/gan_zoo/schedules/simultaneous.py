"""All players at the same time."""

from __future__ import annotations

from torch import Tensor

from gan_framework.core.contracts.schedule import Schedule
from gan_framework.core.game import Game
from gan_framework.core.records import Draw


class Simultaneous(Schedule):
    """Every player finds its gradient at the same parameters; only then do all of them move.

    This is simultaneous gradient descent (Mescheder et al. 2017, arXiv 1705.10461, section 2), under
    which x·y spirals outwards. All players see the same real batch. The discriminator's players and
    the first of the others share one generated batch; each further player draws its own.
    """

    def step(self, game: Game, draw: Draw) -> dict[str, Tensor]:
        """Play one iteration."""
        discriminators, generators, others = game.sides()
        batch = draw()
        shared = game.meet(batch)
        views = [(player, shared.detached()) for player in discriminators]
        views += [(player, game.meet(batch) if i else shared) for i, player in enumerate([*generators, *others])]

        measured: dict[str, Tensor] = {}
        moves = []
        for player, round in views:
            losses = player.evaluate(round)
            moves.append((player, player.backward(losses)))
            measured |= {f"{player.name}/{name}": loss.detach() for name, loss in losses.items()}
            measured |= round.logits()

        for player, total in moves:
            # Two players may move the same parameters, each along its own gradient.
            for parameter, gradient in zip(player.moved, player.gradients, strict=True):
                parameter.grad = gradient
            player.step(total)
        return measured
