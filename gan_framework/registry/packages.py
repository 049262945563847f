"""Where configuration files lie: the framework's own folder and those of installed plugin packages."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, EntryPoint, EntryPoints, entry_points
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
    inside = {entry.name for folder in all_folders() for entry in folder.iterdir() if entry.is_dir()}
    return sorted(name for name in inside if name != "hydra" and options(name))


def options(group: str) -> list[str]:
    """Return the options of a configuration group, those of installed plugin packages among them."""
    return sorted({file.stem for folder in all_folders() for file in (folder / group).glob("*.yaml")})


def written(value: Any) -> str:
    """Return a value as it is written on the command line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return value.name if isinstance(value, Enum) else str(value).replace(" ", "").replace("'", "")


def all_folders() -> list[Path]:
    """Return all folders that configuration files lie in: the framework's own and those of installed packages."""
    return [config_folder(), *(folder for package in config_packages() for folder in package.folders)]


@cache
def _all_entry_points() -> Any:
    try:
        return entry_points()
    except Exception:  # it reads them all at once and does not say whose it failed at
        leave_out_malformed()
        return entry_points()


_READ: Any = Distribution.entry_points
_left_out: set[str] = set()
_quiet = False


def leave_out_malformed(said: bool = False) -> None:
    """From now on have distributions whose entry points cannot be read have none; each is named on stderr, once.

    One malformed file would otherwise end all who look for entry points in this process, torch among them when it is
    imported, and none of them says whose file it is.

    Args:
        said: whether another process has named them already.
    """
    global _quiet
    if Distribution.entry_points is _READ:
        _quiet = said
        Distribution.entry_points = property(_readable)  # type: ignore[method-assign, assignment]


def _readable(distribution: Distribution) -> Any:
    try:
        return _READ.fget(distribution)
    except Exception as error:
        place = str(getattr(distribution, "_path", ""))
        if not _quiet and place not in _left_out:
            _left_out.add(place)
            named = f"{name_and_version(distribution)[0]} ({place})"
            why = " ".join(str(error).split())
            # Both may come from anybody, and what steers a terminal is escaped.
            named, why = (ascii(text)[1:-1] for text in (named, why))
            print(f"warning: {named} is left out, as its entry points cannot be read: {why}", file=sys.stderr)
        return EntryPoints(())


@cache
def registered(group: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group; the installed distributions are read once for all groups."""
    return tuple(_all_entry_points().select(group=group))


def chooser(experiment: str) -> EntryPoint | None:
    """Return what completes an experiment by the data, registered under its name; None for one that is complete."""
    return next((point for point in registered("gan_framework.choosers") if point.name == experiment), None)


@cache
def name_and_version(distribution: Distribution) -> tuple[str, str]:
    """Return a distribution's name and version; reading them parses its whole metadata."""
    try:
        metadata = distribution.metadata
        return metadata["Name"] or "unknown", metadata["Version"] or "?"
    except Exception:  # there are none, or they are no text
        return "unknown", "?"


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
