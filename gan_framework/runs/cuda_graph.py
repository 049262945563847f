"""The CUDA graph of one kind of step, and what its replay leaves to do on the host."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from gan_framework.core.game import Game
from gan_framework.core.player import Player
from gan_framework.errors import ConfigError

SETTING = "train.cuda_graph=true"

MOST_RATES = 4096
"""How many learning rates a graph has room for: one for each update and parameter group."""


@runtime_checkable
class OnHost(Protocol):
    """A follow-up of a player's updates that keeps numbers on the host."""

    def graph_key(self) -> Hashable:
        """Return what its work on the device depends on beside tensors."""

    def replayed(self) -> None:
        """Do to the numbers what an update does."""


@dataclass
class Graph:
    """The captured step of one kind.

    Attributes:
        replay: has the device repeat it.
        measured: what the step returns; every replay writes there.
        left: what the step leaves in attributes of modules: (module, name, value).
        updated: the players in the order of their updates.
        rates: the learning rates of these updates on the device.
        values: the learning rates that are there.
    """

    replay: Callable[[], None]
    measured: dict[str, Tensor]
    left: list[tuple[nn.Module, str, Any]]
    updated: list[Player]
    rates: Tensor
    values: list[float]

    @classmethod
    def of(cls, game: Game, players: list[Player], step: Callable[[], dict[str, Tensor]]) -> Graph:
        """Capture a step; the host has played it afterwards, and the device has not.

        Raises:
            ConfigError: it cannot be captured.
        """
        before = [(module, dict(vars(module))) for module in game.modules()]
        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize(game.device)
        with recorded_updates(players, game.device) as record:
            # Other threads (of a loader that pins memory) may go on with the device meanwhile.
            try:
                with torch.cuda.device(game.device), torch.cuda.graph(graph, capture_error_mode="thread_local"):
                    measured = step()
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as error:
                raise ConfigError(
                    f"{SETTING}: a step cannot be captured ({str(error).splitlines()[0]}); set train.cuda_graph=false"
                ) from error
        left = [
            (module, name, value)
            for module, attributes in before
            for name, value in vars(module).items()
            if not isinstance(value, int | float | str) and value is not attributes.get(name, module)
        ]
        return cls(graph.replay, measured, left, record.updated, record.rates, record.values)

    def play(self, host_has_played: bool = False) -> dict[str, Tensor]:
        """Repeat the step; return what it measured."""
        values = self.values if host_has_played else self._follow()
        if host_has_played or values != self.values:
            self.values = values
            uploaded = torch.tensor(values, dtype=self.rates.dtype).pin_memory()
            self.rates[: len(values)].copy_(uploaded, non_blocking=True)
        self.replay()
        for module, name, value in self.left:
            setattr(module, name, value)
        return {name: value.clone() for name, value in self.measured.items()}

    def _follow(self) -> list[float]:
        """Do on the host what the step does there; return the learning rates of its updates."""
        values: list[float] = []
        for player in self.updated:
            values += _rates(player)
            for follow_up in player.after_step:
                if isinstance(follow_up, OnHost):
                    follow_up.replayed()
            player.updates += 1
        return values


@dataclass
class _Record:
    updated: list[Player]
    rates: Tensor
    values: list[float]


def _anneals(player: Player) -> bool:
    return "lr" in player.annealed


def _rates(player: Player) -> list[float]:
    return [float(group["lr"]) for group in player.optimizer.param_groups] if _anneals(player) else []


@contextmanager
def recorded_updates(players: list[Player], device: torch.device) -> Iterator[_Record]:
    """Record the updates of players; those whose learning rate changes read it from the device meanwhile."""
    record = _Record([], torch.zeros(MOST_RATES, device=device), [])

    def begin(player: Player) -> None:
        record.updated.append(player)
        for group, value in zip(player.optimizer.param_groups, _rates(player), strict=False):
            record.values.append(value)
            group["lr"] = record.rates[len(record.values) - 1]

    def end(player: Player) -> None:
        groups = player.optimizer.param_groups if _anneals(player) else []
        for group, value in zip(groups, record.values[len(record.values) - len(groups) :], strict=True):
            group["lr"] = value  # else it could not be read while a stream is captured

    hooks = []
    for player in players:
        hooks.append(player.optimizer.register_step_pre_hook(lambda *_, player=player: begin(player)))
        hooks.append(player.optimizer.register_step_post_hook(lambda *_, player=player: end(player)))
    capturable = [
        group for player in players for group in player.optimizer.param_groups if group.get("capturable") is False
    ]
    for group in capturable:
        group["capturable"] = True
    try:
        yield record
    finally:
        for hook in hooks:
            hook.remove()
        for group in capturable:
            group["capturable"] = False
