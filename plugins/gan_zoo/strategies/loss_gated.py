"""Players move only while their last loss is high."""

from __future__ import annotations

import torch

from gan_framework.core.contracts.loss import SeparableLoss
from gan_framework.core.contracts.strategy import Strategy
from gan_framework.core.game import Game
from gan_framework.core.records import DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.schedules.loss_gated import LossGated as LossGatedSchedule
from gan_zoo.strategies.split_discriminator import split

STARTS = {"discriminator_fake": 1.0, "generator": 0.0, "discriminator_real": 1.0}
"""What stands in for the last losses at first: the discriminator moves before the generator does."""

CERTAIN = 20.0
"""A logit as far on the wrong side as a loss ever sees."""


class LossGated(Strategy):
    """D moves on generated samples, then G, then D on real samples, each only if its last loss is high.

    The tutorials' cure for a player that runs away from the other. The two halves of the
    discriminator's loss have optimizers of their own (see `split_discriminator`).

    Args:
        fake: the discriminator moves on generated samples while its last loss on them is above this.
        generator: the generator moves while its last loss is above this.
        real: the discriminator moves on real samples while its last loss on them is above this.
    """

    def __init__(self, fake: float, generator: float, real: float) -> None:
        self.thresholds = {"discriminator_fake": fake, "generator": generator, "discriminator_real": real}

    def apply(self, game: Game) -> None:
        """Split the discriminator and replace the alternating schedule."""
        game.claim("number of steps of each player", "loss_gated")
        schedule = game.schedule
        if not isinstance(schedule, Alternating) or (schedule.d_steps, schedule.g_steps) != (1, 1):
            raise ConfigError(
                "loss_gated decides by the losses who moves and replaces the alternating schedule with one step for "
                f"each player, but the schedule is {type(schedule).__name__} with settings of its own"
            )
        split(game, "loss_gated")
        self._check_gates_can_open(game)
        game.schedule = LossGatedSchedule(self.thresholds, STARTS)

    def _check_gates_can_open(self, game: Game) -> None:
        loss = game.loss
        assert isinstance(loss, SeparableLoss)
        high, low = (DiscriminatorOutput(torch.full((1,), logit)) for logit in (CERTAIN, -CERTAIN))
        worst = {
            "discriminator_fake": loss.fake_half(high),
            "generator": loss.generator(low, high),
            "discriminator_real": loss.real_half(low),
        }
        for name, threshold in self.thresholds.items():
            if game.player(name).side is not None and not worst[name] > threshold:
                raise ConfigError(
                    f"loss_gated would never let the player {name!r} move: its loss under {type(loss).__name__} stays "
                    f"below the threshold {threshold}"
                )
