"""The small run in which a plugin is tried: where it fits, and whose settings it has."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf

from gan_framework.build import build_game
from gan_framework.config.compose import compose as config_compose
from gan_framework.config.compose import plain
from gan_framework.data.completing import with_found
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.defaults import OWN
from gan_framework.registry.kinds import KINDS, kind_of_network
from gan_framework.registry.packages import config_folder, config_packages
from gan_framework.testing.samples import Samples

Config = dict[str, Any]

SMALL = {
    "debug": "smoke",
    "metrics": "[]",
    "tracker": "[]",
    "train.device": "cpu",
    "train.precision": "fp32",
    "train.accumulate": "1",
}
"""What is composed beside the plugin, unless the overrides say otherwise: two steps, no scores, no trackers."""

PLAIN = {"model": "mlp", **SMALL}
"""The same for a run that no experiment describes: small networks on the digits."""

SCORED = 100
"""How many samples of either side a metric is to score."""


@dataclass(frozen=True)
class Surroundings:
    """A composed small run that builds a plugin.

    Attributes:
        config: the configuration; references in it are not resolved yet.
        experiment: the name of the experiment that it is; None for one that no experiment describes.
    """

    config: Config
    experiment: str | None


def given(kind: str, name: str, overrides: tuple[str, ...]) -> Surroundings:
    """Return what overrides compose, with the option of the plugin's name if they do not build the plugin.

    Raises:
        ConfigError: nothing that they and the option compose builds it.
    """
    config = compose(overrides)
    if not list(places(config, kind, name)):
        config = compose((*overrides, option(kind, name)))
    if not list(places(config, kind, name)):
        raise ConfigError(
            f"{option(kind, name)} composes nothing named {name!r} among the {kind}: is `name:` in its YAML "
            "right, and its `# @package`?"
        )
    chosen = [override.partition("=")[2] for override in overrides if override.lstrip("+").startswith("experiment=")]
    return Surroundings(config, chosen[0] if chosen else None)


def found(kind: str, name: str, settings: Mapping[str, Any]) -> Surroundings:
    """Return the surroundings in which a plugin belongs.

    They are the plain small run, or, if that cannot be composed with the plugin or refuses it, the first experiment of
    the plugin's distribution that builds it.

    Args:
        kind: the plugin's kind.
        name: its name.
        settings: settings that differ from its YAML.

    Raises:
        ConfigError: it cannot be tried anywhere; the message says what the plain run and the experiments say.
    """
    simple: Surroundings | None = None
    try:
        simple = given(kind, name, ())
        _try(simple.config, kind, name, settings)
        return simple
    except ConfigError as error:
        refused = error
    refusals = []
    for experiment in _experiments(kind, name):
        try:
            config = compose((f"experiment={experiment}",), of_kind=kind)
        except Exception:  # also what YAML and Hydra raise; an experiment that is wrong is another matter
            continue
        if not list(places(config, kind, name)):
            continue
        try:
            _try(config, kind, name, settings)
        except ConfigError as error:
            refusals.append(f"experiment={experiment}: {error}")
            continue
        return Surroundings(config, experiment)
    if simple is None:
        none = "no experiment of its distribution builds it"
        raise ConfigError("; and ".join([str(refused), *(refusals or [none])])) from refused
    return simple  # in which its own checks say what is wrong with it


def _try(config: Config, kind: str, name: str, settings: Mapping[str, Any]) -> None:
    """Raise ConfigError if the plugin cannot be tried in a configuration."""
    resolved = resolve(config, kind, name, settings)
    if kind in ("datasets", "optimizers", "trackers"):
        return
    samples, own = Samples(resolved["data"], resolved["sources"]), next(places(resolved, kind, name))
    if kind == "extractors":
        registry.build(kind, own).check(samples.shape)
        return
    game = build_game(resolved, samples.shape, torch.device("cpu"))
    if kind in ("metrics", "samplers"):
        registry.build(kind, own).check(game)
    if kind == "metrics":
        registry.build(kind, own).check_samples(samples.shape, SCORED, SCORED)


def resolve(config: Config, kind: str, name: str, settings: Mapping[str, Any]) -> Config:
    """Return a configuration with the plugin's settings in it, resolved as far as the plugin's kind needs it."""
    config = copy.deepcopy(config)
    for place in places(config, kind, name):
        place.update(copy.deepcopy(dict(settings)))
    # Only now, so that others may refer to the settings.
    if kind == "datasets":  # networks of another shape refer to settings that it may not have
        return {"data": plain(OmegaConf.create({"data": config["data"]}))["data"]}
    return plain(with_found(OmegaConf.create(config)))


def places(config: Config, kind: str, name: str) -> Iterator[Config]:
    """Yield the parts of a configuration that build a plugin."""
    yield from (place for _, place in named_places(config, kind, name))


def named_places(config: Config, kind: str, name: str) -> Iterator[tuple[str, Config]]:
    """Yield the parts of a configuration that build a plugin with what they are called there, as `generator_a`."""
    place = config.get(KINDS[kind].place) or {}
    candidates = {kind: place} if "name" in place else place
    if kind in ("generators", "discriminators", "networks"):
        candidates = {key: value for key, value in place.items() if kind_of_network(key).name == kind}
    names = (name, name.rpartition(":")[2])
    for key, candidate in candidates.items():
        if isinstance(candidate, dict) and candidate.get("name") in names:
            yield key, candidate


def option(kind: str, name: str) -> str:
    """Return the override that chooses a plugin by its name."""
    group, short = KINDS[kind].group, name.rpartition(":")[2]
    if kind == "networks":
        return f"+{group}={short}"
    return f"{group}=[{short}]" if KINDS[kind].listed else f"{group}={short}"


def _experiments(kind: str, name: str) -> Iterator[str]:
    """Yield the names of the experiments of a plugin's distribution, those first whose text has the plugin's name."""
    plugin = registry.find(kind, name)
    if plugin.distribution == OWN:
        folders: list[Path] = [config_folder()]
    else:
        own = [package for package in config_packages() if package.distribution == plugin.distribution]
        folders = [folder for package in own for folder in package.folders]
    files = [file for folder in folders for file in sorted((folder / "experiment").glob("*.yaml"))]
    yield from (file.stem for file in sorted(files, key=lambda file: plugin.name not in file.read_text("utf-8")))


def compose(overrides: tuple[str, ...], of_kind: str | None = None) -> Config:
    """Compose a small run with overrides, which may replace what it has; references are not resolved yet.

    Args:
        overrides: as on the command line.
        of_kind: the kind whose plugins are left as an experiment has them.
    """
    chosen = {override.lstrip("+~").partition("=")[0] for override in overrides}
    small = PLAIN if "experiment" not in chosen else SMALL
    kept = KINDS[of_kind].group if of_kind is not None else None
    base = [f"{key}={value}" for key, value in small.items() if key not in chosen and key != kept]
    return copy.deepcopy(_composed((*base, *overrides)))


@lru_cache(maxsize=256)
def _composed(overrides: tuple[str, ...]) -> Config:
    composed: Config = OmegaConf.to_container(config_compose(overrides), enum_to_str=True)  # type: ignore[assignment]
    return composed
