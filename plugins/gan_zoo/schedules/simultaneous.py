"""All players at the same time."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Game, Meeting, NextBatch, Player, Schedule

Update = tuple[Player, Tensor, Meeting]
"""A player, the sum of its losses, and what it has met."""


def meetings(game: Game, next_batch: NextBatch) -> list[tuple[Player, Meeting]]:
    """Return what each player faces at the same parameters.

    All see the same real batch. The discriminator's players and the first of the others share one
    generated batch; each further player draws its own.
    """
    discriminators, generators, others = game.teams()
    batch = next_batch()
    shared = game.meet(batch)
    faced = [(player, shared.detached()) for player in discriminators]
    return faced + [(player, game.meet(batch) if i else shared) for i, player in enumerate([*generators, *others])]


def evaluate_all(game: Game, next_batch: NextBatch) -> tuple[list[Update], dict[str, Tensor]]:
    """Find every player's gradient at the same parameters; return what is to be updated, and what was measured."""
    measured: dict[str, Tensor] = {}
    updates = []
    for player, meeting in meetings(game, next_batch):
        losses = player.evaluate(meeting)
        updates.append((player, player.backward(losses), meeting))
        measured |= {f"{player.name}/{name}": loss.detach() for name, loss in losses.items()}
        measured |= meeting.logits()
    return updates, measured


class Simultaneous(Schedule):
    """Every player finds its gradient at the same parameters; only then are all of them updated.

    This is simultaneous gradient descent (Mescheder et al. 2017, arXiv 1705.10461, section 2), under
    which x·y spirals outwards. See `meetings` for what they see.
    """

    def step(self, game: Game, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step."""
        updates, measured = evaluate_all(game, next_batch)
        for player, total, meeting in updates:
            # Two players may update the same parameters, each along its own gradient.
            for parameter, gradient in zip(player.trained, player.gradients, strict=True):
                parameter.grad = gradient
            player.step(total, meeting)
        return measured
