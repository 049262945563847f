"""Several discriminator steps for every generator step."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import ConfigError, Game, NextBatch, Strategy
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.schedules.alternating import Alternating


class Bursting(Alternating):
    """The same with many more updates of the discriminator at first, and again from time to time.

    When follows from the generator's count of updates, so there is no state beside that.

    Args:
        schedule: what it is otherwise.
        burst: updates of the discriminator in one step of a burst.
        first: generator updates at the beginning that bursts come before.
        every: generator updates from one later burst to the next.
    """

    def __init__(self, schedule: Alternating, burst: int, first: int, every: int) -> None:
        super().__init__(schedule.d_steps, schedule.g_steps, schedule.share_fakes, schedule.g_batches)
        self.usual = schedule.d_steps
        self.burst = burst
        self.first = first
        self.every = every

    def step(self, game: Game, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step."""
        made = min((player.updates // self.g_steps for player in game.teams()[1]), default=0)
        self.d_steps = self.burst if made < self.first or made % self.every == 0 else self.usual
        return super().step(game, next_batch)


class KStep(Strategy):
    """k discriminator steps, each with a fresh batch, for g generator steps (Goodfellow et al. 2014, Algorithm 1).

    Args:
        k: discriminator updates in one step.
        g_steps: generator updates in one step.
        burst: discriminator updates in each of the first steps and in one from time to time, as in WGAN's and MMD-GAN's
            programs (100); 0 for no bursts.
        first: how many steps are bursts at first.
        every: steps from one later burst to the next.
        g_batches: of so many of a step's batches a generator's update has the samples, drawn anew if more than one; 2
            in SNGAN's program.
    """

    def __init__(
        self, k: int, g_steps: int, burst: int = 0, first: int = 25, every: int = 500, g_batches: int = 1
    ) -> None:
        if burst < 0 or 0 < burst < k:
            raise ValueError(f"burst={burst}: it must be at least k={k}, or 0 for none")
        require_not_negative(first=first)
        require_positive(every=every)
        if k < 1 or g_steps < 1 or g_batches < 1:
            raise ValueError(f"k={k}, g_steps={g_steps}, g_batches={g_batches}: all must be at least 1")
        self.k = k
        self.g_steps = g_steps
        self.g_batches = g_batches
        self.burst = burst
        self.first = first
        self.every = every

    def apply(self, game: Game) -> None:
        """Set the step counts of the alternating schedule."""
        game.claim("number of steps of each player", "k_step")
        if not game.teams()[0]:
            raise ConfigError(
                f"k_step has no effect on {type(game).__name__}, where no player has a discriminator's loss"
            )
        if not isinstance(game.schedule, Alternating):
            raise ConfigError(
                f"k_step sets the steps of the alternating schedule, but the schedule is {type(game.schedule).__name__}"
            )
        for name, own in (("d_steps", self.k), ("g_steps", self.g_steps), ("g_batches", self.g_batches)):
            asked = getattr(game.schedule, name)
            if asked not in (1, own):
                setting = "k" if name == "d_steps" else name
                raise ConfigError(
                    f"schedule.{name}={asked} and strategy.k_step.{setting}={own} both set the steps of a player: "
                    f"set schedule.{name}=1, or leave k_step out"
                )
        game.schedule.d_steps = self.k
        game.schedule.g_steps = self.g_steps
        game.schedule.g_batches = self.g_batches
        if self.burst:
            game.schedule = Bursting(game.schedule, self.burst, self.first, self.every)
