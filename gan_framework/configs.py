"""Where configuration files lie: the framework's own folder and those of installed plugin packages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

GROUPS: dict[str, str] = {
    "generators": "generator",
    "discriminators": "discriminator",
    "networks": "network",
    "losses": "loss",
    "terms": "term",
    "schedules": "schedule",
    "strategies": "strategy",
    "games": "game",
    "priors": "prior",
    "datasets": "data",
    "extractors": "extractor",
    "metrics": "metrics",
    "optimizers": "optimizer",
    "trackers": "tracker",
}
"""The configuration group in which the YAML files of each kind of plugin lie."""


@dataclass(frozen=True)
class ConfigPackage:
    """A package of configuration files that a distribution registers in the group `gan_framework.configs`.

    Attributes:
        distribution: the distribution's name.
        package: the package's import name.
        folders: where its files lie; none if it does not exist.
    """

    distribution: str
    package: str
    folders: tuple[Path, ...]

    @property
    def problem(self) -> str | None:
        """Why no option can come from it, or None."""
        if not self.folders:
            return f"its configuration package {self.package} does not exist"
        if not [file for folder in self.folders for file in folder.glob("*/*.yaml")]:
            return f"its configuration package {self.package} holds no file like loss/name.yaml"
        return None


def config_folder() -> Path:
    """Return the framework's own folder: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


@cache
def _all_entry_points() -> Any:
    return entry_points()


@cache
def registered(group: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group; the installed distributions are read once for all groups."""
    return tuple(_all_entry_points().select(group=group))


@cache
def name_and_version(distribution: Distribution) -> tuple[str, str]:
    """Return a distribution's name and version; reading them parses its whole metadata."""
    metadata = distribution.metadata
    return metadata["Name"], metadata["Version"]


def owner(point: EntryPoint) -> tuple[str, str]:
    """Return the name and version of the distribution that registers an entry point."""
    return name_and_version(point.dist) if point.dist is not None else ("unknown", "?")


def canonical(distribution: str) -> str:
    """Return a distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


@cache
def config_packages() -> tuple[ConfigPackage, ...]:
    """Return the packages of configuration files of every distribution, without importing any."""
    return tuple(_config_package(point) for point in registered("gan_framework.configs"))


def _config_package(point: EntryPoint) -> ConfigPackage:
    spec = locate(point.value)
    folders = (spec.submodule_search_locations or ()) if spec is not None else ()
    return ConfigPackage(owner(point)[0], point.value, tuple(map(Path, folders)))


def locate(module: str) -> ModuleSpec | None:
    """Return where a module lies, importing neither it nor the packages around it; None if it does not exist."""
    parts = module.split(".")
    spec = find_spec(parts[0])
    for end in range(2, len(parts) + 1):
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(".".join(parts[:end]), list(spec.submodule_search_locations))
    return spec
