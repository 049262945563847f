"""What `gan-framework plugins --pairs` prints: which losses, terms and strategies go together, by building them."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple

import torch
from omegaconf import OmegaConf
from rich.console import Console
from rich.text import Text

from gan_framework.build import build_game
from gan_framework.cli.shown import shown
from gan_framework.config.compose import plain
from gan_framework.core.game import Game
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.defaults import defaults, yaml_file
from gan_framework.registry.kinds import KINDS
from gan_framework.registry.options import options_of
from gan_framework.storage.secrets import mask
from gan_framework.testing import surroundings
from gan_framework.testing.samples import Samples

Config = dict[str, Any]

WIDE = 1000
"""The width of lines that go to a file or another program."""

LONGEST = 110
"""Characters of a reason that are shown."""

FEW = 40
"""Pairs that are tried in this process; of more, several processes take a share each."""

SMALL = (
    "data.image_size=16",
    "generator=dcgan",
    "networks.generator.width=1",
    "discriminator=mlp",
    "networks.discriminator.hidden=[6]",
    "prior=normal",
    "prior.dim=4",
    "train.batch_size=4",
)
PLACES: dict[str, tuple[str, ...]] = {
    "small": SMALL,
    "momentum": (*SMALL, "optimizer=sgd", "optimizer.generator.momentum=0.5", "optimizer.discriminator.momentum=0.5"),
    "codes": (*SMALL, "prior=codes", "prior.codes={categorical: [3], continuous: 1}"),
    "heads": (*SMALL, "strategy=[heads]"),
    "vae": ("model=vae", "networks.generator.hidden=[6]", "networks.encoder.hidden=[6]", "data.image_size=16"),
    "autoencoder": ("model=autoencoder", "networks.autoencoder.activation=tanh", "data.image_size=16"),
}
"""Small runs in which a plugin is tried, in this order; one that none of them takes is tried in an experiment."""

NARROW = 4
"""The width that networks of an experiment have here: what goes together does so at any width, and steps take less."""

STACKED = ("losses", "terms", "strategies")


class Item(NamedTuple):
    """A loss, a term or a strategy.

    Attributes:
        kind: its kind.
        name: its name.
    """

    kind: str
    name: str


@dataclass(frozen=True)
class Found:
    """Whether two plugins go together.

    Attributes:
        first: a plugin, `loss=hinge`.
        second: the other, `term=r1`.
        place: where they were tried together: one of `PLACES`, or an experiment.
        refused: why they do not go together; None if they do.
    """

    first: str
    second: str
    place: str
    refused: str | None


def show(names: Sequence[str], as_json: bool) -> None:
    """Print what goes with what, and the reasons of what does not.

    Args:
        names: of plugins: of one, all its pairs; of several, those among them; none is all.
        as_json: whether the pairs are printed as JSON.

    Raises:
        ConfigError: no loss, term or strategy has one of the names.
    """
    found = list(tried(wanted(names)))
    if as_json:
        print(json.dumps(mask([asdict(pair) for pair in found]), indent=2))
        return
    console = Console() if sys.stdout.isatty() else Console(width=WIDE)
    for first in dict.fromkeys(pair.first for pair in found):
        row = [pair for pair in found if pair.first == first]
        refused = [pair for pair in row if pair.refused is not None]
        console.print(Text.assemble((shown(first), "bold"), f"  goes with {len(row) - len(refused)} of {len(row)}"))
        for pair in refused:
            console.print(Text.assemble(f"  {shown(pair.second):<40}  ", (shown(shortened(pair.refused or "")), "dim")))


def wanted(names: Sequence[str]) -> list[tuple[Item, Item]]:
    """Return the pairs to try: every loss with every term and strategy, every term with every strategy.

    Args:
        names: see `show`.

    Raises:
        ConfigError: no loss, term or strategy has one of the names.
    """
    losses, terms, strategies = ([Item(kind, p.name) for p in registry.installed(kind)] for kind in STACKED)
    known = {item.name for item in (*losses, *terms, *strategies)}
    for name in names:
        if name not in known:
            raise ConfigError(f"no loss, term or strategy is named {name!r}; `gan-framework plugins` lists them")
    pairs = [*product(losses, terms), *product(losses, strategies), *product(terms, strategies)]
    if len(names) == 1:
        return [pair for pair in pairs if names[0] in (pair[0].name, pair[1].name)]
    return [pair for pair in pairs if {pair[0].name, pair[1].name} <= {*names}] if names else pairs


def tried(pairs: Sequence[tuple[Item, Item]]) -> Iterator[Found]:
    """Yield what comes of each pair, in their order; many are shared out among processes."""
    items = list(dict.fromkeys(item for pair in pairs for item in pair))
    if len(pairs) <= FEW:
        homes = {item: home(item) for item in items}
        yield from (try_pair(homes, pair) for pair in pairs)
        return
    workers = os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        homes = dict(zip(items, pool.map(home, items, chunksize=4), strict=True))
        yield from pool.map(partial(try_pair, homes), pairs, chunksize=32)


def try_pair(homes: Mapping[Item, str | None], pair: tuple[Item, Item]) -> Found:
    """Return whether a game can be built with both, in the place where one of them is at home.

    Args:
        homes: the place of each.
        pair: the two. The reason is that of the place which is less common.
    """
    found = {place for place in map(homes.__getitem__, pair) if place is not None}
    refused: dict[str, str] = {}
    for place in sorted(found, key=lambda place: [*PLACES].index(place) if place in PLACES else len(PLACES))[::-1]:
        try:
            build(place, pair)
        except ConfigError as error:
            refused[place] = str(error)
        else:
            return Found(_typed(pair[0]), _typed(pair[1]), place, None)
    where, reason = next(iter(refused.items()), ("", "neither can be built alone in its default settings"))
    return Found(_typed(pair[0]), _typed(pair[1]), where, reason)


def home(item: Item) -> str | None:
    """Return the first of `PLACES` where a plugin fits, else the first experiment; None if it fits nowhere."""
    for place in PLACES:
        if _builds(place, (item,)):
            return place
    named = (option.name for option in options_of("experiment") if item.name in option.file.read_text("utf-8"))
    return next((experiment for experiment in named if _builds(experiment, (item,))), None)


def build(place: str, items: Sequence[Item], **changes: Any) -> Game:
    """Return the game of a place with plugins in their default settings.

    Args:
        place: one of `PLACES`, or an experiment.
        items: the plugins.
        changes: of the resolved configuration.

    Raises:
        ConfigError: they do not go together there, or one of them is a loss that no player there minimises.
    """
    config = settings(place, items) | changes
    game = build_game(config, samples(place).shape, torch.device("cpu"))
    if any(item.kind == "losses" for item in items) and not any(game.player(name).objective for name in game.players):
        raise ConfigError(f"no player of {type(game).__name__} minimises an adversarial loss")
    return game


def settings(place: str, items: Sequence[Item]) -> Config:
    """Return the resolved configuration of a place with plugins in their default settings."""
    config = dict(_resolved(place))
    for item in items:
        own = _settings(place, item)
        where = KINDS[item.kind].place
        if not KINDS[item.kind].listed:
            config[where] = own
        elif not any(chosen.get("name") == item.name for chosen in config[where].values()):  # an experiment has it
            config[where] = {**config[where], item.name: own}
    return config


@cache
def samples(place: str) -> Samples:
    """Return the data of a place; noise of their shape where they would have to be downloaded."""
    config = _resolved(place)
    return Samples(config["data"], config["sources"])


def shortened(reason: str) -> str:
    """Return a reason without what it advises, and no longer than can be read at a glance."""
    for end in ("; ", ": choose", ": set ", ": leave "):
        reason = reason.partition(end)[0]
    return reason if len(reason) <= LONGEST else f"{reason[: LONGEST - 1]}…"


def _typed(item: Item) -> str:
    return f"{KINDS[item.kind].group}={item.name}"


def _builds(place: str, items: Sequence[Item]) -> bool:
    try:
        game = build(place, items)
    except ConfigError:
        return False
    # An auto-encoder takes any loss, and none of its players minimises it.
    minimised = any(game.player(name).objective is not None for name in game.players)
    return minimised or all(item.kind != "losses" for item in items)


@cache
def _composed(place: str) -> Config:
    if place in PLACES:
        return surroundings.compose(PLACES[place])
    asked = f"experiment={place}"
    networks: Config = surroundings.compose((asked,))["networks"]
    wide = (name for name, own in networks.items() if own.get("width", 0) > NARROW)
    return surroundings.compose((asked, *(f"networks.{name}.width={NARROW}" for name in wide)))


@cache
def _resolved(place: str) -> Config:
    return plain(OmegaConf.create(_composed(place)))


@cache
def _settings(place: str, item: Item) -> Config:
    """Return a plugin's default settings, resolved as they are in a place."""
    plugin = registry.find(item.kind, item.name)
    file = yaml_file(item.kind, plugin.name, plugin.distribution)
    if file is None:  # its settings stand in an experiment
        own = next(surroundings.places(_composed(place), item.kind, item.name), None)
        if own is None:
            raise ConfigError(f"{_typed(item)} has no YAML of its own, and {place} has not got it")
        written = own
    else:
        written = {"name": item.name, **defaults(file, plugin.name)}
    config = plain(OmegaConf.create({**_composed(place), "plugin": written}))
    resolved: Config = config["plugin"]
    return resolved
