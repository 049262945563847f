"""One stage after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gan_framework.api import ConfigError, Game, NextBatch, Schedule, distributed

SIDES = {"below": -1.0, "above": 1.0}
"""For each kind of bound the sign of a loss's distance from it once it is beyond."""


@dataclass(frozen=True)
class Condition:
    """A loss that has to get beyond a bound.

    Attributes:
        loss: `<player>/<loss>`, as it is logged.
        side: `below` or `above`.
        bound: the bound.
    """

    loss: str
    side: str
    bound: float

    def is_met(self, measured: Mapping[str, Tensor]) -> bool:
        """Return whether what a step has measured, averaged over all processes, is beyond the bound.

        Raises:
            ConfigError: the loss was not measured.
        """
        if self.loss not in measured:
            scalars = [name for name, value in measured.items() if value.ndim == 0]
            raise ConfigError(
                f"schedule.stages: until.loss={self.loss} is not measured; there are {', '.join(scalars)}"
            )
        return bool(SIDES[self.side] * (distributed.mean(measured[self.loss]) - self.bound) > 0)


@dataclass(frozen=True)
class Stage:
    """What is done in each step of a stage, and when the next one begins.

    Attributes:
        players: who are updated, in this order.
        updates: how often, for each of them.
        steps: after so many steps the next stage begins; None for no such end.
        condition: the next stage begins after the first step that meets it; None for no such end.
    """

    players: tuple[str, ...]
    updates: tuple[int, ...]
    steps: int | None
    condition: Condition | None


class Stages(Schedule):
    """Stages one after another, each with players of its own who are updated in turn, until a count or a condition.

    Every update has a generated batch of its own; the first update of each player in a step sees the same real batch,
    and each further one a fresh one, as the k steps of Goodfellow et al. 2014, Algorithm 1. The last stage has no end.

    Args:
        stages: a list of mappings. `players` are the names of those who are updated, in order; `updates` says how often
            in each step, a number or one for each player, 1 if left out; `until` ends the stage: a number of steps, or
            a mapping of `loss` (`<player>/<loss>`), `below` or `above` and a number, and, if wanted, `steps`, the most.
    """

    accumulates = True

    def __init__(self, stages: list[Any]) -> None:
        super().__init__()
        if not stages:
            raise ValueError("stages=[]: there must be at least one stage")
        self.stages = [_stage(f"stages[{number}]", settings) for number, settings in enumerate(stages)]
        for number, stage in enumerate(self.stages):
            endless = stage.steps is None and stage.condition is None
            if endless != (number == len(stages) - 1):
                raise ValueError(
                    f"stages[{number}] needs `until`, because further stages follow"
                    if endless
                    else f"stages[{number}].until has no effect: no further stage follows"
                )
        # Plain numbers and no buffers: reading a buffer would wait for the device in every step.
        self.stage = 0
        self.done = 0

    def check(self, game: Game) -> None:
        """See that the players exist.

        Raises:
            ConfigError: a stage names another player.
        """
        for number, stage in enumerate(self.stages):
            for name in stage.players:
                if name not in game.players:
                    raise ConfigError(
                        f"schedule.stages[{number}].players: the game has no player {name!r}; its players are "
                        f"{', '.join(game.players)}"
                    )

    def step(self, game: Game, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step of the stage."""
        stage = self.stages[self.stage]
        first = next_batch()
        measured: dict[str, Tensor] = {}
        for name, updates in zip(stage.players, stage.updates, strict=True):
            player = game.player(name)
            for update in range(updates):
                batch = next_batch() if update else first
                measured |= player.play(game.meet(batch, graph=player.team != "discriminator"))
        self.done += 1
        if self.done == stage.steps or (stage.condition is not None and stage.condition.is_met(measured)):
            self.stage, self.done = self.stage + 1, 0
        return measured

    def updates_of(self, player: str) -> set[int]:
        """Return how often a player is updated in a step, a number for each way in which stages that do it differ."""
        plays = (each for stage in self.stages for each in zip(stage.players, stage.updates, strict=True))
        return {updates for name, updates in plays if name == player}

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return the number of the stage, from 0."""
        return {"stage": float(self.stage)}

    def get_extra_state(self) -> dict[str, int]:
        """Return the stage, and the steps done in it."""
        return {"stage": self.stage, "done": self.done}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Take up the stage, and the steps done in it."""
        self.stage, self.done = state["stage"], state["done"]


def _stage(where: str, settings: Any) -> Stage:
    if (
        not isinstance(settings, Mapping)
        or "players" not in settings
        or settings.keys() - {"players", "updates", "until"}
    ):
        raise ValueError(f"{where}={settings!r}: a stage has players and, if wanted, updates and until")
    players, updates, until = settings["players"], settings.get("updates", 1), settings.get("until")
    if not isinstance(players, list) or not players or not all(isinstance(name, str) for name in players):
        raise ValueError(f"{where}.players={players!r}: it must be a list of players, with at least one")
    counts = updates if isinstance(updates, list) else [updates] * len(players)
    if len(counts) != len(players) or not all(map(_is_count, counts)):
        raise ValueError(f"{where}.updates={updates!r}: it must be a number of at least 1, or one for each player")
    steps = until.get("steps") if isinstance(until, Mapping) else until
    if steps is not None and not _is_count(steps):
        raise ValueError(f"{where}.until={until!r}: it must be a number of steps of at least 1, or a condition")
    condition = _condition(where, until) if isinstance(until, Mapping) else None
    return Stage(tuple(players), tuple(counts), steps, condition)


def _condition(where: str, until: Mapping[str, Any]) -> Condition:
    sides = [side for side in SIDES if side in until]
    if until.keys() - {"steps"} != {"loss", *sides} or len(sides) != 1 or not isinstance(until["loss"], str):
        raise ValueError(f"{where}.until={until!r}: it has a loss, <player>/<loss>, and one of below and above")
    bound = until[sides[0]]
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        raise ValueError(f"{where}.until.{sides[0]}={bound!r}: it must be a number")
    return Condition(until["loss"], sides[0], float(bound))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
