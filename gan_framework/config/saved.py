"""A saved run's configuration, made what Hydra composes from: each part of it is an option of its group."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gan_framework.config import saved_types
from gan_framework.config.plugins import plugins_of
from gan_framework.config.schema import SECTIONS, Config
from gan_framework.errors import ConfigError
from gan_framework.registry.kinds import KINDS, kind_of_group
from gan_framework.registry.packages import all_folders, config_folder
from gan_framework.storage import no_run, plain
from gan_framework.storage.plain import literal
from gan_framework.storage.secrets import MASK

log = logging.getLogger(__name__)

NAME = "_saved_run"
"""What the configuration is called when Hydra composes from it."""
OPTION = "_saved"
"""The option of each group that is the run's own part: `strategy=[_saved,ema]` adds to its strategies."""

NEEDED = ("train", "data", "networks")
"""What no run's configuration is without."""
OF_SEVERAL_PARTS = ("model", "experiment", "search")
"""Groups whose options say what differs from the default configuration, and mean nothing beside another one."""
REFERENCE = re.compile(r"\$\{\w+(\.\w+)*\}", re.ASCII)


def read(path: Path) -> dict[str, Any]:
    """Return the configuration in a file, which somebody else may have made.

    Raises:
        ConfigError: there is no such file, it holds other than plain values, or no run's configuration.
    """
    if path.name in no_run.OF_A_SWEEP and path.exists():
        raise ConfigError(no_run.said(path))
    try:
        found = plain.read_yaml(path, path.parent)
    except FileNotFoundError:
        raise ConfigError(f"there is no file {path}") from None
    except ConfigError as error:
        raise ConfigError(f"{path.parent}: {error}") from error
    check(found, str(path))
    return found


def check(found: Mapping[str, Any], where: str) -> None:
    """Raise ConfigError, naming where it is from, if plain settings are no run's configuration."""
    for name in NEEDED:
        if not isinstance(found.get(name), Mapping):
            raise ConfigError(f"{where} is not the configuration of a run: it has no settings under `{name}`")
    groups = {name: found.get(name) for name in _names(Config) if name != "seed"}
    groups |= {f"networks.{name}": settings for name, settings in found["networks"].items()}
    for name, section in groups.items():
        if section and not isinstance(section, Mapping):
            raise ConfigError(f"{where}: {name} is {plain.shown(section)}, not a group of settings")
        if section and "defaults" in section:
            raise ConfigError(f"{where}: {name}.defaults is not a setting of a run")
    saved_types.check(found, where)


def offer(saved: Mapping[str, Any], train: Mapping[str, Any], folder: Path | None = None) -> str:
    """Make a run's configuration one that Hydra composes from, as from conf/config.yaml, and return its name.

    Every group of conf/config.yaml has the run's own part for its option, so another option takes the place of that
    part, alone or in a sweep. Settings that their plugin's YAML has follow others do so again, where they have the
    value of those.

    Args:
        saved: the configuration, resolved: nothing in it is a reference, whatever it looks like.
        train: settings under `train` that are not the run's.
        folder: the run's folder; None for a new one.
    """
    standard: Any = OmegaConf.to_container(OmegaConf.load(config_folder() / "config.yaml"), resolve=False)
    referring = _referring(saved)
    parts = {name: referring[name] for name in _names(Config) if referring.get(name) is not None and name != "sweep"}
    for name, section in SECTIONS.items():
        if isinstance(parts.get(name), dict):
            parts[name] = {key: value for key, value in parts[name].items() if key in _names(section)}
    parts["train"] |= train
    defaults: list[Any] = []
    for entry in standard["defaults"]:
        group = next(iter(entry)) if isinstance(entry, dict) else None
        if group is None or group.startswith("override "):
            defaults += [entry] if entry != "_self_" else []
            continue
        if kind_of_group(group) is None and "_self_" not in defaults:
            # Weights are drawn network after network: those that no group chooses come behind those of the groups.
            defaults.append("_self_")
        defaults.append({group: _option(group, parts)})
    hydra = standard["hydra"]
    if folder is not None:
        hydra["run"]["dir"] = literal(str(folder))
    ConfigStore.instance().store(name=NAME, node={"defaults": defaults, "hydra": hydra, **parts})
    return NAME


def refuse_several_parts(overrides: list[str], where: str) -> None:
    """Raise ConfigError if an override chooses an option of a group that means nothing beside a run's configuration."""
    for override in overrides:
        group, is_set, option = override.lstrip("+").partition("=")
        if is_set and group in OF_SEVERAL_PARTS and option != "null":
            raise ConfigError(
                f"{override}: an option of {group} says what differs from the defaults, and {where} has settings of "
                "its own: choose its parts (generator, discriminator, prior, loss, ...), or leave the run's "
                "configuration out"
            )


def warn_of_masked(config: Mapping[str, Any], path: str = "") -> None:
    """Name the settings of a saved configuration in which a secret of the environment was left out."""
    for key, value in config.items():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping):
            warn_of_masked(value, here)
        elif MASK in str(value):
            log.warning(
                "%s was saved as %s because it contained a secret from the environment: set it again", here, value
            )


def _names(section: type[Any]) -> list[str]:
    return [one.name for one in fields(section)]


def _option(group: str, parts: dict[str, Any]) -> Any:
    """Store the part of a group as an option of it, take it out of the parts, and return what chooses it."""
    kind = kind_of_group(group)
    if kind is None:
        return None
    if kind.place == "networks":
        package, part = f"networks.{group}", parts["networks"].pop(group, None)
    else:
        package, part = kind.place, parts.pop(kind.place, None)
    if not part:
        return [] if kind.listed else None
    ConfigStore.instance().store(group=group, name=OPTION, node=part, package=package)
    return [OPTION] if kind.listed else OPTION


def _referring(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration in which settings follow those that their plugin's YAML says, if they are equal."""
    referring: dict[str, Any] = literal(saved)
    base = OmegaConf.create(referring)
    for where, kind, settings in plugins_of(saved):
        section: Any = referring
        for name in where.split(".", 1):
            section = section[name]
        for key, written in _references(kind, str(settings["name"])).items():
            if key in settings and _value(base, written) == settings[key]:
                section[key] = written
    return referring


def _value(base: Any, written: Any) -> Any:
    """Return the value that a setting has by what is written; None if it refers to nothing."""
    try:
        together = OmegaConf.merge(base, {"_written": written})
        return OmegaConf.to_container(together, resolve=True)["_written"]  # type: ignore[call-overload, index]
    except OmegaConfBaseException:
        return None


@cache
def _references(kind: str, name: str) -> dict[str, Any]:
    """Return the settings of a plugin that follow others by its YAML file."""
    files = [file for folder in all_folders() for file in sorted((folder / KINDS[kind].group).glob("*.yaml"))]
    for file in sorted(files, key=lambda file: file.stem != name):
        try:
            content = yaml.safe_load(file.read_text())
        except (OSError, ValueError, yaml.YAMLError):
            continue
        if isinstance(content, dict) and content.get("name") == name:
            return {key: value for key, value in content.items() if _refers(value)}
    return {}


def _refers(value: Any) -> bool:
    """Whether a value refers to other settings, and to nothing else."""
    if isinstance(value, list):
        return any(map(_refers, value))
    return isinstance(value, str) and REFERENCE.fullmatch(value) is not None
