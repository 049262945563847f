"""Steps that are captured as CUDA graphs and replayed, so that the device never waits for Python.

A graph repeats what the device did, with the same addresses and the same numbers from the host. So a step is played
from Python until all that it does on the host is known, and a step that decides anything there is refused by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from gan_framework.core import distributed
from gan_framework.core.game import Game
from gan_framework.core.player import Player
from gan_framework.core.records import Batch, NextBatch
from gan_framework.errors import ConfigError

MOST_GRAPHS = 8
"""How many kinds of steps are captured, each with activations of its own; others are played from Python."""

SETTING = "train.cuda_graph=true"

OWN_COUNTS = ("updates", "scaler")
"""What changes in a player's state with every update, and is followed (`updates`) or lies on the device."""


def check(game: Game, skips_nonfinite: bool) -> None:
    """See that steps can be captured at all.

    Raises:
        ConfigError: there is no CUDA device, there are several processes, or each update waits for its loss.
    """
    if game.device.type != "cuda":
        raise ConfigError(f"{SETTING} needs a CUDA device, and this run is on {game.device.type}")
    if distributed.world() > 1:
        raise ConfigError(f"{SETTING} is for one process, and this run has {distributed.world()}")
    if skips_nonfinite:
        raise ConfigError(f"{SETTING} cannot go with train.on_nonfinite=skip, which looks at every loss: use stop")


@runtime_checkable
class OnHost(Protocol):
    """A follow-up of a player's updates that keeps numbers on the host."""

    def graph_key(self) -> Hashable:
        """Return what its work on the device depends on beside tensors."""

    def replayed(self) -> None:
        """Do to the numbers what an update does."""


class CapturedSteps:
    """Plays a game's steps, each kind of them from Python twice and from then on as the replay of a graph.

    Steps are of one kind when the same terms with the same weights are due in all of their updates (StyleGAN2's
    penalties in every sixteenth) and the `graph_key` of every follow-up that is `OnHost` is the same. Learning rates
    may change between updates.

    Args:
        game: the game, with its state restored.
    """

    def __init__(self, game: Game) -> None:
        self.game = game
        self.graphs: dict[Hashable, Graph] = {}
        self._seen: set[Hashable] = set()
        self._players = [game.player(name) for name in game.players]
        self._follow_ups = [
            follow_up for player in self._players for follow_up in player.after_step if isinstance(follow_up, OnHost)
        ]
        self._updates: Counter[str] = Counter()
        self._batches: list[Batch] = []

    def __call__(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step; see `Game.step`.

        Raises:
            ConfigError: the step waits for the device, or keeps anything on the host that it changes.
        """
        if not all(getattr(opening, "over", True) for opening in self.game.openings):
            return self.game.step(next_batch)
        if not self._updates:
            return self._first(next_batch)
        kind = self._kind()
        if kind in self.graphs:
            self._draw(next_batch)
            return self.graphs[kind].play()
        if kind not in self._seen:
            self._seen.add(kind)
            self._draw(next_batch)
            return self._examined()
        if len(self.graphs) >= MOST_GRAPHS:
            return self.game.step(next_batch)
        self._draw(next_batch)
        self.graphs[kind] = graph = Graph.of(self.game, self._players, self._step)
        return graph.play(host_has_played=True)

    # -- what a step is ---------------------------------------------------------------------------

    def _first(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play the first step; keep how many batches it draws, and how often each player is updated in it."""

        def counted() -> Batch:
            batch = next_batch()
            self._batches.append(_map(torch.clone, batch))
            return batch

        before = {player.name: player.updates for player in self._players}
        measured = self.game.step(counted)
        self._updates.update({player.name: player.updates - before[player.name] for player in self._players})
        return measured

    def _kind(self) -> Hashable:
        plans = tuple(
            (player.name, name, plan.factor(updates) if updates % plan.every == 0 else None)
            for player in self._players
            for updates in range(player.updates, player.updates + self._updates[player.name])
            for name, plan in player.plans.items()
        )
        return plans, tuple(follow_up.graph_key() for follow_up in self._follow_ups)

    def _draw(self, next_batch: NextBatch) -> None:
        """Put the next batches where the step finds them."""
        for kept in self._batches:
            for mine, drawn in zip(_tensors(kept), _tensors(next_batch()), strict=True):
                mine.copy_(drawn)

    def _step(self) -> dict[str, Tensor]:
        batches = iter(self._batches)
        measured = self.game.step(lambda: next(batches))
        if next(batches, None) is not None:
            raise ConfigError(f"{SETTING}: a step drew fewer batches than the one before it")
        return measured

    def _examined(self) -> dict[str, Tensor]:
        """Play a step from Python; see that it waits for nothing and changes nothing but tensors on the device."""
        before, drawn = _state(self.game), torch.default_generator.get_state()
        with _aside(self.game.device), _without_waiting():
            measured = self._step()
        if self.game.device.type != "cpu" and not torch.equal(drawn, torch.default_generator.get_state()):
            raise ConfigError(f"{SETTING}: a step draws random numbers on the CPU, which a graph would repeat")
        changed = changes(before, _state(self.game), self._followed())
        if changed:
            raise ConfigError(
                f"{SETTING}: a step changes what lies on the host, which a graph would repeat: "
                f"{', '.join(changed[:3])}; leave out what needs it, or set train.cuda_graph=false"
            )
        return measured

    def _followed(self) -> list[str]:
        """Return the beginnings of the names in the game's state of what a replay brings up to date."""
        own = [f"players.{player.name}._extra_state.{count}" for player in self._players for count in OWN_COUNTS]
        rates = [
            f"players.{player.name}._extra_state.optimizer.param_groups.{i}.lr"
            for player in self._players
            for i in range(len(player.optimizer.param_groups))
        ]
        names = [
            name for name, module in self.game.named_modules() if any(module is other for other in self._follow_ups)
        ]
        return own + rates + [f"{name}._extra_state" for name in names]


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
        with _recorded_updates(players, game.device) as record:
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


# -- learning rates ---------------------------------------------------------------------------------


@dataclass
class _Record:
    updated: list[Player]
    rates: Tensor
    values: list[float]


MOST_RATES = 4096
"""How many learning rates a graph has room for: one for each update and parameter group."""


def _anneals(player: Player) -> bool:
    return "lr" in player.annealed


def _rates(player: Player) -> list[float]:
    return [float(group["lr"]) for group in player.optimizer.param_groups] if _anneals(player) else []


@contextmanager
def _recorded_updates(players: list[Player], device: torch.device) -> Iterator[_Record]:
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


# -- what a step changes ----------------------------------------------------------------------------


def changes(before: Mapping[str, Any], after: Mapping[str, Any], followed: list[str]) -> list[str]:
    """Return the names of what differs between two flat states, other than values of tensors on the device.

    Args:
        before: the state by name: plain values, and for tensors on the device their addresses.
        after: the state after a step.
        followed: beginnings of names that may differ.
    """
    return [
        name
        for name in dict.fromkeys([*before, *after])
        if not any(name == own or name.startswith(f"{own}.") for own in followed)
        and (name not in before or name not in after or before[name] != after[name])
    ]


def _state(game: Game) -> dict[str, Any]:
    flat: dict[str, Any] = {}

    def visit(name: str, value: Any) -> None:
        if isinstance(value, Tensor):
            on_device = value.device.type == game.device.type
            flat[name] = (value.data_ptr(), tuple(value.shape)) if on_device else value.tolist()
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                visit(f"{name}.{key}", inner)
        elif isinstance(value, list | tuple):
            for i, inner in enumerate(value):
                visit(f"{name}.{i}", inner)
        else:
            flat[name] = value

    for name, value in game.state_dict().items():
        visit(name, value)
    return flat


def _tensors(batch: Batch) -> Iterator[Tensor]:
    yield batch.samples
    yield from (tensor for tensor in (batch.labels, batch.index) if tensor is not None)
    yield from batch.extra.values()
    for other in batch.others.values():
        yield from _tensors(other)


def _map(function: Callable[[Tensor], Tensor], batch: Batch) -> Batch:
    return replace(
        batch,
        samples=function(batch.samples),
        labels=None if batch.labels is None else function(batch.labels),
        index=None if batch.index is None else function(batch.index),
        extra={name: function(tensor) for name, tensor in batch.extra.items()},
        others={name: _map(function, other) for name, other in batch.others.items()},
    )


@contextmanager
def _aside(device: torch.device) -> Iterator[None]:
    """Compute on another stream, as a capture does, so that what is made there once is there already."""
    if device.type != "cuda":
        yield
        return
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream(device).wait_stream(stream)


@contextmanager
def _without_waiting() -> Iterator[None]:
    """Raise ConfigError where the host waits for the device."""
    if not torch.cuda.is_available():
        yield
        return
    mode = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    except RuntimeError as error:
        if "synchronizing" not in str(error):
            raise
        raise ConfigError(f"{SETTING}: a step waits for the device ({_where(error)}), which a graph cannot") from error
    finally:
        torch.cuda.set_sync_debug_mode(mode)


def _where(error: BaseException) -> str:
    """Return the place in the framework or a plugin at which an error was raised."""
    place, trace = "", error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if not module.startswith("torch") and module != __name__:
            place = f"{module}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place
