"""What a contract suite looks at: a plugin with its settings, inside a small run's configuration."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import Tensor

from gan_framework.build import build_game
from gan_framework.config.compose import compose as config_compose
from gan_framework.config.compose import plain
from gan_framework.core import seeding
from gan_framework.core.game import Game
from gan_framework.core.records import Batch, DataShape, Latent
from gan_framework.data import DataSource, build_source
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS, kind_of_network

SMALL_RUN = {
    "model": "mlp",
    "debug": "smoke",
    "metrics": "[]",
    "tracker": "[]",
    "train.device": "cpu",
}
"""What is composed beside the plugin, unless the overrides say otherwise: small networks, no scores, no trackers."""

BATCH_SIZE = 8

Config = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """A plugin under test.

    Attributes:
        kind: the plugin's kind.
        name: its name.
        settings: settings that differ from its YAML.
        overrides: what the configuration around it has, as on the command line.
    """

    kind: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()

    # -- its configuration --------------------------------------------------------------------------

    @cached_property
    def config(self) -> Config:
        """The resolved configuration of a small run that uses the plugin.

        Raises:
            ConfigError: nothing that the overrides and the option of the plugin's name compose uses it.
        """
        config = compose(self.overrides)
        if not list(self._places(config)):
            config = compose((*self.overrides, self._option()))
        places = list(self._places(config))
        if not places:
            raise ConfigError(
                f"{self._option()} composes nothing named {self.name!r} among the {self.kind}: is `name:` in its YAML "
                "right, and its `# @package`?"
            )
        for place in places:
            place.update(copy.deepcopy(dict(self.settings)))
        return plain(OmegaConf.create(config))  # only now, so that others may refer to the settings

    @cached_property
    def own(self) -> Config:
        """The plugin's own part of the configuration: its name and settings."""
        return next(self._places(self.config))

    def _places(self, config: Config) -> Iterator[Config]:
        """Yield the parts of a configuration that build this plugin."""
        if self.kind in ("generators", "discriminators", "networks"):
            candidates = [
                place for name, place in config["networks"].items() if kind_of_network(name).name == self.kind
            ]
        else:
            place = config[KINDS[self.kind].place]
            candidates = [place] if "name" in place else list(place.values())
        names = (self.name, self.name.rpartition(":")[2])
        yield from (place for place in candidates if isinstance(place, dict) and place.get("name") in names)

    def _option(self) -> str:
        kind, name = KINDS[self.kind], self.name.rpartition(":")[2]
        if self.kind == "networks":
            return f"+{kind.group}={name}"
        return f"{kind.group}=[{name}]" if kind.listed else f"{kind.group}={name}"

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
            place = config[KINDS[self.kind].place]
            for key in [key for key, value in place.items() if value.get("name") == self.own["name"]]:
                del place[key]
        return build_game(config, self.shape, torch.device("cpu"))

    @cached_property
    def source(self) -> DataSource:
        """The small run's data."""
        return build_source(self.config["data"])

    @property
    def shape(self) -> DataShape:
        """The shape of the small run's data."""
        return self.source.shape

    # -- what it is tried on ------------------------------------------------------------------------

    def samples(self, n: int = BATCH_SIZE, seed: int = 0) -> Tensor:
        """Return noise of the data's shape: images in [-1, 1], or standard normal vectors."""
        random = seeding.generator(seed, "samples")
        if len(self.shape.sample) == 3:
            return torch.rand(n, *self.shape.sample, generator=random).mul(2).sub(1)
        return torch.randn(n, *self.shape.sample, generator=random)

    def labels(self, n: int = BATCH_SIZE, seed: int = 0) -> Tensor | None:
        """Return labels such as the data have."""
        random = seeding.generator(seed, "labels")
        if self.shape.condition_dim:
            return torch.randn(n, self.shape.condition_dim, generator=random)
        return torch.randint(self.shape.num_classes, (n,), generator=random) if self.shape.num_classes else None

    def batch(self, seed: int = 0) -> Batch:
        """Return a batch of noise with labels."""
        return Batch(self.samples(seed=seed), self.labels(seed=seed))

    def labelled(self, seed: int = 0) -> tuple[Tensor, Tensor | None]:
        """Return samples of noise with their labels."""
        return self.samples(seed=seed), self.labels(seed=seed)

    def latent(self, n: int = BATCH_SIZE, seed: int = 0) -> Latent:
        """Return what the small run's generator is given: latents, or samples where it has no prior."""
        labels = self.labels(n, seed)
        if not self.config["prior"]:
            return Latent(self.samples(n, seed), labels)
        prior = registry.build("priors", self.config["prior"])
        drawn: Latent = prior.draw(n, torch.device("cpu"), seeding.generator(seed, "latent"))
        return drawn._replace(labels=labels)


def compose(overrides: tuple[str, ...]) -> Config:
    """Compose a small run with overrides, which may replace what it has; references are not resolved yet."""
    chosen = {override.lstrip("+~").partition("=")[0] for override in overrides}
    base = [f"{key}={value}" for key, value in SMALL_RUN.items() if key not in chosen]
    return copy.deepcopy(_composed((*base, *overrides)))


@lru_cache(maxsize=64)
def _composed(overrides: tuple[str, ...]) -> Config:
    composed: Config = OmegaConf.to_container(config_compose(overrides), enum_to_str=True)  # type: ignore[assignment]
    return composed
