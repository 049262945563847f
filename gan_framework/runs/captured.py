"""Steps that are captured as CUDA graphs and replayed, so that the device never waits for Python.

A graph repeats what the device did, with the same addresses and the same numbers from the host. So a step is played
from Python until all that it does on the host is known, and a step that decides anything there is refused by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from gan_framework.core import distributed
from gan_framework.core.game import Game
from gan_framework.core.player import Player
from gan_framework.core.records import Batch, NextBatch
from gan_framework.errors import ConfigError
from gan_framework.runs.capturable import asking_for_counts, changes, flat_state, on_another_stream, without_waiting
from gan_framework.runs.cuda_graph import SETTING, Graph, OnHost

MOST_GRAPHS = 8
"""How many kinds of steps are captured, each with activations of its own; others are played from Python."""

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


class CapturedSteps:
    """Plays a game's steps, each kind of them from Python twice and from then on as the replay of a graph.

    Steps are of one kind when the same terms with the same weights are due in all of their updates (StyleGAN2's
    penalties in every sixteenth), and the `update_key` of players and of these terms and the `graph_key` of every
    follow-up that is `OnHost` are the same. Learning rates may change between updates.

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
        plays = tuple(
            _kind_of_update(player, updates)
            for player in self._players
            for updates in range(player.updates, player.updates + self._updates[player.name])
        )
        return plays, tuple(follow_up.graph_key() for follow_up in self._follow_ups)

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
        before, drawn = flat_state(self.game), torch.default_generator.get_state()
        with on_another_stream(self.game.device), without_waiting(), asking_for_counts(self._players) as asking:
            measured = self._step()
        if self.game.device.type != "cpu" and not torch.equal(drawn, torch.default_generator.get_state()):
            raise ConfigError(f"{SETTING}: a step draws random numbers on the CPU, which a graph would repeat")
        changed = changes(before, flat_state(self.game), self._followed())
        if changed:
            raise ConfigError(
                f"{SETTING}: a step changes what lies on the host, which a graph would repeat: "
                f"{', '.join(changed[:3])}; leave out what needs it, or set train.cuda_graph=false"
            )
        if asking:
            raise ConfigError(
                f"{SETTING}: a step decides by how often a player has been updated, and a graph would repeat what was "
                f"decided ({', '.join(asking[:3])}); leave out what needs it, or set train.cuda_graph=false"
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


def _kind_of_update(player: Player, updates: int) -> Hashable:
    due = {name: plan for name, plan in player.plans.items() if updates % plan.every == 0}
    terms = tuple((name, plan.factor(updates), player.term(name).update_key(updates)) for name, plan in due.items())
    return player.name, player.update_key(updates), terms


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
