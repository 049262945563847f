"""From a configuration to live objects: the plugins it names, put together and edited by its strategies in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from gan_framework.config import schema
from gan_framework.core import distributed, seeding
from gan_framework.core.contracts.strategy import Strategy
from gan_framework.core.game import Components, Game
from gan_framework.core.player import Ramp, TermPlan
from gan_framework.core.records import DataShape
from gan_framework.data import Batches, Sources
from gan_framework.errors import ConfigError
from gan_framework.evaluation import decoding
from gan_framework.evaluation.decoding import Decoder
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.registry import registry, typecheck
from gan_framework.registry.kinds import KINDS, kind_of_network
from gan_framework.storage import garbage
from gan_framework.weights.freezing import Thawing, freeze, refuse_what_moves_frozen
from gan_framework.weights.independence import find_batch_independent
from gan_framework.weights.layout import choose_layouts
from gan_framework.weights.settings import weight_settings
from gan_framework.weights.warm_start import WarmStart

Config = Mapping[str, Any]
"""A resolved configuration as plain mappings, lists and values."""


TEAMS = {"discriminators": "discriminator", "generators": "generator"}
"""What a term may name in the place of the players of one side."""


@dataclass(frozen=True)
class Assembly:
    """All that a configuration describes, ready to be run; every process of a run has the same.

    Attributes:
        settings: the configuration as objects.
        game: the game, started.
        batches: what draws this process's share of the real batches.
        thawing: has players update what was frozen, once it is due.
        evaluator: scores the game; None if nothing is scored, or in another process.
        assistant: extracts this process's share of the features that another scores; None in that and if none does.
    """

    settings: schema.Config
    game: Game
    batches: Batches
    thawing: Thawing
    evaluator: Evaluator | None
    assistant: Evaluator | None


def assemble(
    config: Config,
    sources: Sources,
    device: torch.device,
    scored: bool,
    warm_start: WarmStart | None = None,
    decoder: Decoder | None = None,
) -> Assembly:
    """Build all that a configuration describes.

    Args:
        config: the resolved configuration.
        sources: its data.
        device: where the game is played.
        scored: whether this process scores the game.
        warm_start: the trained weights that networks start from.
        decoder: makes of the samples what is seen and scored.

    Raises:
        ConfigError: a plugin, a setting or a combination is wrong.
    """
    settings = schema.Config.of(config)
    game = build_game(config, sources.shape, device, warm_start)
    decoding.give(game, decoder)
    thawing = Thawing(game, weight_settings(config["networks"]), settings.train.cuda_graph)
    if settings.train.compile:
        compile_networks(game)
    evaluator = assistant = None
    if settings.metrics and settings.evaluate.samples:
        found = Evaluator.from_config(config, decoding.decoded(sources.first, decoder), device)
        evaluator, assistant = (found, None) if scored else (None, found)
    if evaluator is not None:
        evaluator.check(game)
    if scored and settings.train.patience is not None and not (evaluator and evaluator.higher_is_better):
        raise ConfigError(
            f"train.patience={settings.train.patience} waits for a better score, and none of the metrics ranks runs: "
            "choose one that does, metrics=[fid]"
        )
    batches = sources.batches(settings.train.batch_size, settings.seed, device, distributed.rank(), distributed.world())
    return Assembly(settings, game, batches, thawing, evaluator, assistant)


def build_game(config: Config, shape: DataShape, device: torch.device, warm_start: WarmStart | None = None) -> Game:
    """Build the game that a configuration describes, ready to be played on the device.

    Args:
        config: the resolved configuration.
        shape: the shape of the data, which the networks must fit.
        device: where the game is played.
        warm_start: the trained weights that networks start from; without it they are as drawn.

    Raises:
        ConfigError: a plugin, a setting or a combination is wrong.
    """
    of_weights = weight_settings(config["networks"])
    seeding.reseed(config["seed"], "weights")
    optimizers = {player: _without_clip(player, settings) for player, settings in config["optimizer"].items()}
    for name, settings in config["networks"].items():
        _refuse_network_of_images(name, settings, shape, config["data"]["name"])
    # Before the networks, whose sizes follow from it: what is wrong with it is not to be said of them.
    prior = registry.build("priors", config["prior"]) if config["prior"] else None
    seeding.reseed(config["seed"], "weights")
    networks = {name: _build_network(name, settings) for name, settings in config["networks"].items()}
    if warm_start is not None:
        warm_start.fill(networks)
    components = Components(
        data=shape,
        networks=networks,
        schedule=registry.build("schedules", config["schedule"]),
        prior=prior,
        loss=registry.build("losses", config["loss"]) if config["loss"] else None,
        optimizers={
            player: partial(_build_optimizer, player, settings) for player, (settings, _) in optimizers.items()
        },
        clips={player: clip for player, (_, clip) in optimizers.items() if clip is not None},
    )
    game: Game = registry.build("games", config["game"], components)
    game.accumulate = config["train"].get("accumulate", 1)
    game.check()
    for name, settings in config["terms"].items():
        _add_term(game, name, settings)
    strategies = {
        name: registry.build("strategies", settings, at=f"strategy.{name}")
        for name, settings in config["strategy"].items()
    }
    for name in [name for name in strategies if not strategies[name].applies_last]:
        _apply(name, strategies[name], game)
    if warm_start is not None:
        warm_start.fill(game.networks)
    freeze(game, of_weights)  # so that what keeps a copy of all that is updated leaves it out
    for name in [name for name in strategies if strategies[name].applies_last]:
        _apply(name, strategies[name], game)
    if game.accumulate > 1 and not game.schedule.accumulates:
        raise ConfigError(
            f"train.accumulate={game.accumulate} divides each batch, and {type(game.schedule).__name__} compares whole "
            "ones: set train.accumulate=1, or schedule=alternating"
        )
    start(game, device, config["train"]["precision"])
    garbage.as_usual()
    refuse_what_moves_frozen(game, of_weights)
    return game


def start(game: Game, device: torch.device, precision: str = "fp32") -> None:
    """Start a game on a device: weights lie as is fastest, and who judges each sample alone sees both sides at once.

    Raises:
        ConfigError: as for `Game.start`.
    """
    choose_layouts(game.networks)
    game.start(device, precision)
    game.independent = find_batch_independent(game)


def _refuse_network_of_images(name: str, settings: Any, shape: DataShape, data: str) -> None:
    """Raise ConfigError for a network that needs the size of images where the data are none."""
    if shape.is_image or not isinstance(settings, Mapping) or settings.get("image_size", "") is not None:
        return
    wanted = typecheck.wanted(registry.find(kind_of_network(name).name, settings["name"]).load()).get("image_size")
    if wanted is not None and typecheck.misfit(None, wanted) is not None:
        raise ConfigError(
            f"networks.{name}: {settings['name']} is a network for images, and a sample of data={data} has the shape "
            f"{shape.sample}: choose model=mlp, or an experiment for such data (docs/beyond-images.md)"
        )


def _build_network(name: str, settings: Config) -> nn.Module:
    kind = kind_of_network(name)
    own = settings
    if isinstance(settings, Mapping):
        own = {key: value for key, value in settings.items() if key not in kind.reserved}
    network: nn.Module = registry.build(kind.name, own, at=f"networks.{name}")
    return network


def _without_clip(player: str, settings: Any) -> tuple[Config, float | None]:
    """Return an optimizer's own settings, and the greatest norm of the gradient."""
    if not isinstance(settings, Mapping) or "clip" not in settings:
        return settings, None
    clip = settings["clip"]
    right = typecheck.misfit(clip, float | None)
    if right is not None or (clip is not None and not clip > 0):
        raise ConfigError(f"optimizer.{player}.clip={clip!r} must be a number above 0, or null")
    return {key: value for key, value in settings.items() if key != "clip"}, clip


def _build_optimizer(player: str, settings: Config, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    optimizer: torch.optim.Optimizer = registry.build("optimizers", settings, parameters, at=f"optimizer.{player}")
    return optimizer


def _apply(name: str, strategy: Strategy, game: Game) -> None:
    try:
        with registry.no_empty_layers():
            strategy.apply(game)
    except ConfigError as error:
        if name in str(error):
            raise
        raise ConfigError(f"strategy.{name}: {error}") from error
    except (TypeError, ValueError, RuntimeError, LookupError) as error:
        raise ConfigError(f"strategy.{name} does not fit the game: {type(error).__name__}: {error}") from error


def _add_term(game: Game, name: str, settings: Any) -> None:
    if not isinstance(settings, Mapping):
        raise ConfigError(f"terms.{name}={settings!r}: a term has a name, a player, a weight and its settings")
    missing = [key for key in ("player", "weight") if key not in settings]
    if missing:
        raise ConfigError(f"terms.{name} needs {' and '.join(missing)}")
    for key, kind in (("player", str | list[str]), ("pair", str | list[str] | None), ("every", int)):
        right = typecheck.misfit(settings[key], kind) if key in settings else None
        if right is not None:
            raise ConfigError(f"terms.{name}.{key}={settings[key]!r} must be {right}")
    every = settings.get("every", 1)
    if every < 1:
        raise ConfigError(f"terms.{name}.every={every} must be at least 1")
    pair = settings.get("pair")
    pairs = (pair,) if isinstance(pair, str) else tuple(pair) if pair else None
    plan = TermPlan(_weight(name, settings["weight"]), every, pairs)
    own = {key: value for key, value in settings.items() if key not in KINDS["terms"].reserved}
    for player in _players(game, name, settings["player"]):
        game.player(player).add_term(name, registry.build("terms", own, at=f"terms.{name}"), plan=plan)


def _players(game: Game, term: str, named: str | list[str]) -> list[str]:
    """Return the players that a term names: one, several, or those of a side."""
    names = [named] if isinstance(named, str) else named
    found: list[str] = []
    for name in names:
        team = TEAMS.get(name)
        own = [player for player in game.players if game.player(player).team == team] if team else [name]
        if not own:
            raise ConfigError(f"terms.{term}.player={name}: {type(game).__name__} has no player on that side")
        found += own
    return list(dict.fromkeys(found))


def _weight(term: str, weight: Any) -> float | Ramp:
    """Return a term's weight, a number or `{start, end, steps}`."""
    if isinstance(weight, Mapping):
        if weight.keys() != {"start", "end", "steps"} or any(
            typecheck.misfit(value, float) is not None for value in weight.values()
        ):
            raise ConfigError(f"terms.{term}.weight={dict(weight)}: a weight that changes has start, end and steps")
        if weight["steps"] < 1:
            raise ConfigError(f"terms.{term}.weight.steps={weight['steps']} must be at least 1")
        return Ramp(float(weight["start"]), float(weight["end"]), int(weight["steps"]))
    right = typecheck.misfit(weight, float)
    if right is not None:
        raise ConfigError(f"terms.{term}.weight={weight!r} must be {right}")
    return float(weight)


def compile_networks(game: Game) -> None:
    """Have torch compile the networks that players update, each when it is first called.

    Raises:
        ConfigError: a player's objective has a gradient in it, and a compiled network cannot be differentiated twice.
    """
    of_loss = [f"the loss {type(game.loss).__name__}"] if getattr(game.loss, "differentiates_twice", False) else []
    for player in map(game.player, game.players):
        twice = [] if player.objective is None else list(of_loss)
        twice += [
            f"terms.{name}" for name, term in player.terms.items() if getattr(term, "differentiates_twice", False)
        ]
        twice += [
            f"the {player.name}'s {type(look_ahead).__module__.rpartition('.')[2]} steps"
            for look_ahead in player.look_aheads
            if getattr(look_ahead, "differentiates_twice", False)
        ]
        if twice:
            raise ConfigError(
                f"train.compile=true cannot go with {' and '.join(twice)}: a compiled network cannot be differentiated "
                "twice; set train.compile=false"
            )
    if game.schedule.differentiates_twice:
        raise ConfigError(
            f"train.compile=true cannot go with the schedule {type(game.schedule).__name__}, which differentiates "
            "gradients: a compiled network cannot be differentiated twice; set train.compile=false"
        )
    updated = {name for player in map(game.player, game.players) for name in player.networks}
    for name in updated:
        game.networks[name].compile()
