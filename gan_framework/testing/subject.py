"""What a contract suite looks at: a plugin with its settings, inside a small run's configuration."""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from gan_framework.build import build_game
from gan_framework.core import seeding
from gan_framework.core.game import Game
from gan_framework.core.records import Batch, DataShape, Latent
from gan_framework.data import DataSource, build_source
from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS
from gan_framework.testing import surroundings
from gan_framework.testing.guards import expect
from gan_framework.testing.samples import BATCH_SIZE, Samples
from gan_framework.testing.surroundings import Config, Surroundings

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Subject:
    """A plugin under test.

    Attributes:
        kind: the plugin's kind.
        name: its name.
        settings: settings that differ from its YAML.
        overrides: what the configuration around it has, as on the command line; without any, the suites find
            surroundings for it.
    """

    kind: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()

    # -- its configuration --------------------------------------------------------------------------

    @cached_property
    def surroundings(self) -> Surroundings:
        """The small run that it is tried in.

        Raises:
            ConfigError: there is none that uses the plugin.
        """
        if self.overrides:
            return surroundings.given(self.kind, self.name, self.overrides)
        return _found(self.kind, self.name, json.dumps(dict(self.settings), sort_keys=True))

    @cached_property
    def config(self) -> Config:
        """The resolved configuration of a small run that uses the plugin.

        Raises:
            ConfigError: nothing that the overrides and the option of the plugin's name compose uses it.
        """
        return surroundings.resolve(self.surroundings.config, self.kind, self.name, self.settings)

    @property
    def own(self) -> Config:
        """The plugin's own part of the configuration: its name and settings."""
        return next(surroundings.places(self.config, self.kind, self.name))

    # -- what is built from it ----------------------------------------------------------------------

    def build(self, seed: int = 0) -> Any:
        """Build the plugin alone, with weights that follow from the seed."""
        seeding.reseed(seed, "contract")
        if self.kind == "datasets":
            return build_source(self.own)
        reserved = KINDS[self.kind].reserved
        return registry.build(self.kind, {key: value for key, value in self.own.items() if key not in reserved})

    def game(self, seed: int = 0, without: bool = False) -> Game:
        """Build the small run's game, if asked for without the plugin."""
        config = copy.deepcopy(self.config)
        config["seed"] = seed
        if without:
            for key, _ in list(surroundings.named_places(config, self.kind, self.name)):
                del config[KINDS[self.kind].place][key]
        return build_game(config, self.shape, CPU)

    @cached_property
    def data(self) -> Samples:
        """The small run's data."""
        return Samples(self.config["data"], self.config["sources"])

    @property
    def source(self) -> DataSource:
        """The small run's first source."""
        return self.data.source

    @property
    def shape(self) -> DataShape:
        """The shape of the small run's data."""
        return self.data.shape

    # -- what it is tried on ------------------------------------------------------------------------

    def batch(self, seed: int = 0) -> Batch:
        """Return a batch of the data with all that belongs to it, another one for another seed."""
        return self.data.batch(BATCH_SIZE, seed)

    def samples(self, n: int = BATCH_SIZE, seed: int = 0) -> Tensor:
        """Return samples of the data."""
        return self.data.batch(n, seed).samples

    def labels(self, n: int = BATCH_SIZE, seed: int = 0) -> Tensor | None:
        """Return the labels of `samples`."""
        return self.data.batch(n, seed).labels

    def latent(self, game: Game, n: int = BATCH_SIZE, seed: int = 0) -> Latent:
        """Return what the game makes of as many samples as of the data."""
        seeding.reseed(seed, "latent")
        with torch.no_grad():
            return game.latent_for(self.data.batch(n, seed))

    def call(self, seed: int = 0) -> Call:
        """Return what the small run's game gives to a network that the plugin makes, in one meeting.

        Raises:
            ContractBroken: the game never asks such a network.
        """
        game = self.game()
        places = surroundings.named_places(self.config, self.kind, self.name)
        names = [name for name, settings in places if settings == self.own]
        seeding.reseed(seed, "latent")
        calls = calls_in(game, names, self.batch(seed))
        expect(
            bool(calls), f"{type(game).__name__} never asks networks.{' or networks.'.join(names)}: try it elsewhere"
        )
        return calls[0]


@dataclass(frozen=True)
class Call:
    """What a network was given in a game.

    Attributes:
        network: the network's name there.
        given: its arguments: latents or samples, their labels, and what is given beside them.
        wanted: the shape that what it makes must have for its judge; None where that is nobody's business.
        sampled: whether what it makes are the game's samples.
    """

    network: str
    given: tuple[Any, ...]
    wanted: tuple[int, ...] | None
    sampled: bool

    @property
    def first(self) -> Tensor:
        """The latents or samples (N, ...)."""
        value: Tensor = self.given[0]
        return value

    @property
    def labels(self) -> Tensor | None:
        """Their labels, or None."""
        return self.given[1] if len(self.given) > 1 else None

    def alone(self) -> tuple[Any, ...]:
        """Return what it was given of the first sample."""
        return tuple(_rows(value, slice(1)) for value in self.given)

    def replaced(self, **changes: Any) -> tuple[Any, ...]:
        """Return its arguments with another `first` or other `labels`."""
        first, labels, *beside = (*self.given, None) if len(self.given) == 1 else self.given
        return changes.get("first", first), changes.get("labels", labels), *beside


def calls_in(game: Game, names: list[str], batch: Batch) -> list[Call]:
    """Return what some networks of a game are given while samples are made, and judged, in one meeting."""
    seen: list[tuple[str, tuple[Any, ...], Any]] = []

    def remember(name: str) -> Any:
        def hook(network: nn.Module, given: tuple[Any, ...], by_name: dict[str, Any], made: Any) -> None:
            bound = inspect.signature(network.forward).bind(*given, **by_name)
            seen.append((name, tuple(_detached(value) for value in bound.args), made))

        return hook

    hooks = [game.network(name).register_forward_hook(remember(name), with_kwargs=True) for name in names]
    try:
        with torch.no_grad():
            meeting = game.meet(batch, graph=False)
            for pair in meeting.values():
                if pair.has_judge:
                    pair.real_output, pair.fake_output  # noqa: B018 (asks its judge about each side in turn)
    finally:
        for hook in hooks:
            hook.remove()
    wanted = {id(pair.fake): tuple(pair.real.shape[1:]) for pair in meeting.values()}
    return [Call(name, given, wanted.get(id(made)), name == game.sampling_network) for name, given, made in seen]


def _detached(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach()
    return {key: _detached(one) for key, one in value.items()} if isinstance(value, Mapping) else value


def _rows(value: Any, of: slice) -> Any:
    if isinstance(value, Tensor):
        return value[of]
    return {key: _rows(one, of) for key, one in value.items()} if isinstance(value, Mapping) else value


@lru_cache(maxsize=64)
def _found(kind: str, name: str, settings: str) -> Surroundings:
    """Return where a plugin belongs; each check of a suite asks again, and finding it builds games."""
    return surroundings.found(kind, name, json.loads(settings))
