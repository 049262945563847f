"""Optimizer settings that change while a game is played.

They follow from the number of updates alone, so a resumed run goes on exactly.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from itertools import chain

import torch
from torch import nn

from gan_framework.api import ConfigError, Game, Player, Strategy
from gan_zoo.ranges import require_below_one, require_not_negative, require_positive
from gan_zoo.schedules.stages import Stages
from gan_zoo.strategies.lookahead import DrawBack


class Annealing(nn.Module):
    """Sets one number of some players' optimizers, once after every update of the player that counts.

    Args:
        counted: the player whose updates are counted.
        players: whose optimizers are set.
        setting: the number's name in the optimizers' parameter groups.
        value: maps the number's initial value and the updates so far to its value for the next update.
    """

    def __init__(
        self, counted: Player, players: list[Player], setting: str, value: Callable[[float, int], float]
    ) -> None:
        super().__init__()
        # Kept in a tuple: the players belong to the game, and must not be registered twice.
        self._players = (counted, *players)
        self.setting = setting
        self.value = value

    def forward(self) -> None:
        """Set the number for the next update."""
        self._set(self._players[0].updates + 1)

    replayed = forward

    def graph_key(self) -> None:
        """Return what an update does on the device beside tensors: nothing."""

    def go_on(self) -> None:
        """Set the number for the next update of a game that has been restored."""
        if self._players[0].updates:
            self._set(self._players[0].updates)

    def _set(self, updates: int) -> None:
        for player in self._players[1:]:
            initial = player.optimizer.defaults[self.setting]
            for group in player.optimizer.param_groups:
                group[self.setting] = self.value(initial, updates)


def updates_per_step(game: Game, player: Player, strategy: str) -> int:
    """Return how often a player on the generator's side is updated in a step.

    Raises:
        ConfigError: in one stage more often than in another.
    """
    schedule = game.schedule.schedule if isinstance(game.schedule, DrawBack) else game.schedule
    if not isinstance(schedule, Stages):
        return int(getattr(schedule, "g_steps", 1))
    found = sorted(schedule.updates_of(player.name))
    if len(found) > 1:
        raise ConfigError(
            f"{strategy} counts steps by the updates of the player {player.name!r}, of which stages of schedule=stages "
            f"have {' and '.join(map(str, found))} in a step: have as many in each"
        )
    return found[0] if found else 1


class Annealed(Strategy):
    """The base of strategies that change one number of the players' optimizers.

    The generator's updates are counted (those of the first player in a game without one), so that
    several discriminator updates for each of them change nothing.

    Args:
        players: whose optimizers are changed; all players' if null.
    """

    applies_last = True
    name: str
    setting: str

    def __init__(self, players: list[str] | None) -> None:
        if players == []:
            raise ValueError("players=[]: name at least one player, or write null for all")
        self.players = players

    @abstractmethod
    def value(self, initial: float, updates: int, updates_per_step: int) -> float:
        """Return the number after so many updates of the counted player."""

    def apply(self, game: Game) -> None:
        """Let the number follow the updates of the counted player."""
        playing = [*chain(*game.teams())]
        players = [game.player(name) for name in self.players] if self.players is not None else playing
        for player in players:
            if player not in playing:
                raise ConfigError(
                    f"{self.name} counts the generator's updates, and the player {player.name!r} has none beside them; "
                    f"choose among {', '.join(other.name for other in playing)}"
                )
            game.claim(f"{self.setting} of the player {player.name}", self.name)
            player.annealed.add(self.setting)
        _, generators, others = game.teams()
        counted = (generators or others)[0]
        per_step = updates_per_step(game, counted, self.name)
        annealing = Annealing(counted, players, self.setting, lambda initial, n: self.value(initial, n, per_step))
        counted.after_step.append(annealing)
        game.register_load_state_dict_post_hook(lambda *_: annealing.go_on())  # type: ignore[no-untyped-call]


class LearningRateDecay(Annealed):
    """The learning rate falls to a minimum, along a line to 0 in SNGAN (Miyato et al. 2018, arXiv 1802.05957).

    Args:
        players: whose learning rate falls; all players' if null.
        shape: `linear` or `cosine`.
        steps: steps until the minimum is reached.
        minimum: the learning rate at the end.
        start: the share of the steps before it begins to fall.
    """

    name = "lr_decay"
    setting = "lr"
    shapes: dict[str, Callable[[float], float]] = {
        "linear": lambda progress: 1 - progress,
        "cosine": lambda progress: (1 + math.cos(math.pi * progress)) / 2,
    }

    def __init__(self, players: list[str] | None, shape: str, steps: int, minimum: float, start: float = 0.0) -> None:
        super().__init__(players)
        if shape not in self.shapes:
            raise ValueError(f"shape={shape!r}: choose {' or '.join(self.shapes)}")
        require_positive(steps=steps)
        require_not_negative(minimum=minimum)
        if not 0 <= start < 1:
            raise ValueError(f"start={start}: it is a share of the steps, at least 0 and below 1")
        self.shape = self.shapes[shape]
        self.start = start
        self.steps = steps
        self.minimum = minimum

    def value(self, initial: float, updates: int, updates_per_step: int) -> float:
        """Return the learning rate."""
        done = min(updates / (self.steps * updates_per_step), 1.0)
        progress = max(done - self.start, 0.0) / (1 - self.start)
        return self.minimum + (initial - self.minimum) * self.shape(progress)


class ExponentialLearningRateDecay(Annealed):
    """The learning rate is divided by a constant after every update (CGAN, Mirza & Osindero 2014, section 4.1).

    Args:
        players: whose learning rate falls; all players' if null.
        divisor: by which each update divides it.
        minimum: below which it does not fall.
    """

    name = "lr_decay_exponential"
    setting = "lr"

    def __init__(self, players: list[str] | None, divisor: float, minimum: float) -> None:
        super().__init__(players)
        if not divisor > 1 or minimum < 0:
            raise ValueError(f"divisor={divisor}, minimum={minimum}: they must be above 1 and at least 0")
        self.divisor = divisor
        self.minimum = minimum

    def value(self, initial: float, updates: int, updates_per_step: int) -> float:
        """Return the learning rate."""
        return max(initial * self.divisor**-updates, self.minimum)


class MomentumRamp(Annealed):
    """The momentum changes along a line from the optimizer's own to another (CGAN, Mirza & Osindero 2014, section 4.1).

    Args:
        players: whose momentum changes; all players' if null.
        final: the momentum at the end.
        steps: steps until it is reached.
    """

    name = "momentum_ramp"
    setting = "momentum"

    def __init__(self, players: list[str] | None, final: float, steps: int) -> None:
        super().__init__(players)
        require_below_one(final=final)
        require_positive(steps=steps)
        self.final = final
        self.steps = steps

    def value(self, initial: float, updates: int, updates_per_step: int) -> float:
        """Return the momentum."""
        return initial + (self.final - initial) * min(updates / (self.steps * updates_per_step), 1.0)

    def apply(self, game: Game) -> None:
        """Let the momentum follow the updates of the counted player."""
        super().apply(game)
        for name in self.players if self.players is not None else game.players:
            if name in game.optimizers:
                optimizer = game.optimizers[name]([nn.Parameter(torch.zeros(1))])
                if not optimizer.param_groups[0].get("momentum"):
                    raise ConfigError(
                        f"momentum_ramp has no effect on optimizer.{name}, which is {type(optimizer).__name__} without "
                        f"momentum; it goes with optimizer=sgd optimizer.{name}.momentum=0.5"
                    )
