"""Several discriminator steps for every generator step."""

from __future__ import annotations

from gan_framework.api import ConfigError, Game, Strategy
from gan_zoo.schedules.alternating import Alternating


class KStep(Strategy):
    """k discriminator steps, each with a fresh batch, for g generator steps (Goodfellow et al. 2014, Algorithm 1).

    Args:
        k: discriminator updates in one step.
        g_steps: generator updates in one step.
    """

    def __init__(self, k: int, g_steps: int) -> None:
        if k < 1 or g_steps < 1:
            raise ValueError(f"k={k}, g_steps={g_steps}: both must be at least 1")
        self.k = k
        self.g_steps = g_steps

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
        for name, own in (("d_steps", self.k), ("g_steps", self.g_steps)):
            asked = getattr(game.schedule, name)
            if asked not in (1, own):
                setting = "k" if name == "d_steps" else name
                raise ConfigError(
                    f"schedule.{name}={asked} and strategy.k_step.{setting}={own} both set the steps of a player: "
                    f"set schedule.{name}=1, or leave k_step out"
                )
        game.schedule.d_steps = self.k
        game.schedule.g_steps = self.g_steps
