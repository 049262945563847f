"""Loss gating: players are updated only while their last loss is high."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import torch
from torch import Tensor

from gan_framework.api import (
    Batch,
    ConfigError,
    DiscriminatorOutput,
    Game,
    Meeting,
    NextBatch,
    Player,
    Schedule,
    SeparableLoss,
    Strategy,
    distributed,
)
from gan_zoo.heads import ReadsHeads
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.strategies.split_discriminator import split

STARTS = {"discriminator_fake": 1.0, "generator": 0.0, "discriminator_real": 1.0}
"""What stands in for the last losses at first: the discriminator is updated before the generator is."""

CERTAIN = 20.0
"""A logit as far on the wrong side as a loss ever sees."""


class LossGatedSchedule(Schedule):
    """Each gated player in turn is updated if its last loss, summed over its terms, is above its threshold.

    Every update measures the losses of all gated players, at the parameters before it, on one
    real batch for the whole step and a generated batch of the update's own; these are the last
    losses from then on. When no gate is open, the losses are measured without an update, so that
    another batch can open one. Players without a gate are updated once, at the end.

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

    def step(self, game: Game, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step."""
        gated = [game.player(name) for name in self.thresholds]
        batch = next_batch()
        measured: dict[str, Tensor] = {}

        for player in gated:
            if self.last_loss(player.name) > self.thresholds[player.name]:
                measured |= self._measure(game, batch, gated, updated=player)
        if not measured:
            measured |= self._measure(game, batch, gated, updated=None)

        for player in chain(*game.teams()):
            if player not in gated:
                measured |= player.play(game.meet(batch))
        return measured

    def _measure(self, game: Game, batch: Batch, gated: list[Player], updated: Player | None) -> dict[str, Tensor]:
        meeting = game.meet(batch, graph=updated in game.teams()[1])
        # Of the same pairs, but what one player makes of them before it looks is not the other's.
        faced = {player.name: Meeting(meeting) for player in gated}
        losses = {player.name: player.evaluate(faced[player.name]) for player in gated}
        if updated is not None:
            updated.update(losses[updated.name], faced[updated.name])
        for name, of_player in losses.items():
            total = torch.stack([loss.detach() for loss in of_player.values()]).sum()
            self.last_loss(name).copy_(distributed.mean(total))  # so that all processes update the same players
        measured = {f"{name}/{part}": loss.detach() for name, parts in losses.items() for part, loss in parts.items()}
        for own in faced.values():
            measured |= own.logits()
        return measured


class LossGated(Strategy):
    """D is updated on generated samples, then G, then D on real samples, each only if its last loss is high.

    The tutorials' cure for a player that runs away from the other. The two halves of the
    discriminator's loss have optimizers of their own (see `split_discriminator`).

    Args:
        fake: the discriminator is updated on generated samples while its last loss on them is above this.
        generator: the generator is updated while its last loss is above this.
        real: the discriminator is updated on real samples while its last loss on them is above this.
    """

    def __init__(self, fake: float, generator: float, real: float) -> None:
        self.thresholds = {"discriminator_fake": fake, "generator": generator, "discriminator_real": real}

    def apply(self, game: Game) -> None:
        """Split the discriminator and replace the alternating schedule."""
        game.claim("number of steps of each player", "loss_gated")
        schedule = game.schedule
        counts = ("d_steps", "g_steps", "g_batches")
        if not isinstance(schedule, Alternating) or any(getattr(schedule, count) != 1 for count in counts):
            raise ConfigError(
                "loss_gated decides by the losses who is updated and replaces the alternating schedule with one step "
                f"for each player, but the schedule is {type(schedule).__name__} with settings of its own"
            )
        split(game, "loss_gated")
        self._check_gates_can_open(game)
        game.schedule = LossGatedSchedule(self.thresholds, STARTS)

    def _check_gates_can_open(self, game: Game) -> None:
        loss = game.loss
        assert isinstance(loss, SeparableLoss)
        if isinstance(loss, ReadsHeads):
            return  # it reads scores of classes, of which all such losses are without bounds
        high, low = (DiscriminatorOutput(torch.full((1,), logit)) for logit in (CERTAIN, -CERTAIN))
        worst = {
            "discriminator_fake": loss.fake_half(high),
            "generator": loss.generator(low, high),
            "discriminator_real": loss.real_half(low),
        }
        for name, threshold in self.thresholds.items():
            if game.player(name).objective is not None and not worst[name] > threshold:
                raise ConfigError(
                    f"loss_gated would never update the player {name!r}: its loss under {type(loss).__name__} stays "
                    f"below the threshold {threshold}"
                )
