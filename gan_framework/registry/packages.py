"""Where configuration files lie: the framework's own folder and those of installed plugin packages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Location:
    """Where a module lies.

    Attributes:
        file: its file; None for a package without `__init__.py`.
        folders: where the modules inside it lie; none unless it is a package.
    """

    file: Path | None
    folders: tuple[Path, ...]


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
    package = Path(__file__).parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def groups() -> list[str]:
    """Return the configuration groups, without Hydra's own."""
    inside = {entry.name for folder in _all_folders() for entry in folder.iterdir() if entry.is_dir()}
    return sorted(name for name in inside if name != "hydra" and options(name))


def options(group: str) -> list[str]:
    """Return the options of a configuration group, those of installed plugin packages among them."""
    return sorted({file.stem for folder in _all_folders() for file in (folder / group).glob("*.yaml")})


def written(value: Any) -> str:
    """Return a value as it is written on the command line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return value.name if isinstance(value, Enum) else str(value).replace(" ", "").replace("'", "")


def _all_folders() -> list[Path]:
    return [config_folder(), *(folder for package in config_packages() for folder in package.folders)]


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
    place = locate(point.value)
    return ConfigPackage(owner(point)[0], point.value, place.folders if place is not None else ())


def locate(module: str) -> Location | None:
    """Return where a module lies, importing neither it nor the packages around it; None if it does not exist."""
    top, *inner = module.split(".")
    spec = find_spec(top)
    if spec is None:
        return None
    place = Location(Path(spec.origin) if spec.has_location and spec.origin else None, _folders(spec))
    for name in inner:
        found = _inside(place.folders, name)
        if found is None:
            return None
        place = found
    return place


def _folders(spec: ModuleSpec) -> tuple[Path, ...]:
    return tuple(map(Path, spec.submodule_search_locations or ()))


def _inside(folders: tuple[Path, ...], name: str) -> Location | None:
    """Return where a package's own module lies, as the import system would find it."""
    for folder in folders:
        if (folder / name / "__init__.py").is_file():
            return Location(folder / name / "__init__.py", (folder / name,))
        for file in (folder / f"{name}.py", *folder.glob(f"{name}.*.so"), *folder.glob(f"{name}.*.pyd")):
            if file.is_file():
                return Location(file, ())
    namespace = tuple(folder / name for folder in folders if (folder / name).is_dir())
    return Location(None, namespace) if namespace else None
