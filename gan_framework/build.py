"""From a configuration to a game: builds the plugins it names and applies its strategies in order."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from gan_framework.core import seeding
from gan_framework.core.contracts.strategy import Strategy
from gan_framework.core.game import Game, Parts
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.registry import registry, typecheck
from gan_framework.runs import out_of_memory

Config = Mapping[str, Any]
"""A resolved configuration as plain mappings, lists and values."""


def build_game(config: Config, shape: DataShape, device: torch.device) -> Game:
    """Build the game that a configuration describes, ready to be played on the device.

    Args:
        config: the resolved configuration.
        shape: the shape of the data, which the networks must fit.
        device: where the game is played.

    Raises:
        ConfigError: a plugin, a setting or a combination is wrong.
    """
    seeding.reseed(config["seed"], "weights")
    parts = Parts(
        data=shape,
        networks={name: _build_network(name, settings) for name, settings in config["networks"].items()},
        schedule=registry.build("schedules", config["schedule"]),
        prior=registry.build("priors", config["prior"]) if config["prior"] else None,
        loss=registry.build("losses", config["loss"]) if config["loss"] else None,
        optimizers={player: partial(_build_optimizer, settings) for player, settings in config["optimizer"].items()},
    )
    game: Game = registry.build("games", config["game"], parts)
    game.check()
    for name, settings in config["terms"].items():
        _add_term(game, name, settings)
    strategies = {name: registry.build("strategies", settings) for name, settings in config["strategy"].items()}
    for name in sorted(strategies, key=lambda name: strategies[name].applies_last):
        _apply(name, strategies[name], game)
    game.start(device, config["train"]["precision"])
    return game


def network_kind(name: str) -> str:
    """Return the kind of plugin that makes the network of a name: `generator_ab` is one of the generators."""
    return next((kind for kind in ("generators", "discriminators") if name.startswith(kind[:-1])), "networks")


def _build_network(name: str, settings: Config) -> nn.Module:
    network: nn.Module = registry.build(network_kind(name), settings)
    return network


def _build_optimizer(settings: Config, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    optimizer: torch.optim.Optimizer = registry.build("optimizers", settings, parameters)
    return optimizer


def _apply(name: str, strategy: Strategy, game: Game) -> None:
    try:
        strategy.apply(game)
    except ConfigError as error:
        if name in str(error):
            raise
        raise ConfigError(f"strategy.{name}: {error}") from error
    except (TypeError, ValueError, RuntimeError, LookupError) as error:
        if out_of_memory.exhausted(error):
            raise
        raise ConfigError(f"strategy.{name} does not fit the game: {type(error).__name__}: {error}") from error


def _add_term(game: Game, name: str, settings: Any) -> None:
    if not isinstance(settings, Mapping):
        raise ConfigError(f"terms.{name}={settings!r}: a term has a name, a player, a weight and its settings")
    missing = [key for key in ("player", "weight") if key not in settings]
    if missing:
        raise ConfigError(f"terms.{name} needs {' and '.join(missing)}")
    for key, kind in (("player", str), ("weight", float)):
        right = typecheck.misfit(settings[key], kind)
        if right is not None:
            raise ConfigError(f"terms.{name}.{key}={settings[key]!r} must be {right}")
    own = {key: value for key, value in settings.items() if key not in ("player", "weight")}
    game.player(settings["player"]).add_term(name, registry.build("terms", own), float(settings["weight"]))
