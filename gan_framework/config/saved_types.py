"""Whether the values of a saved configuration are of the types that the schema says: somebody else may have made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gan_framework.config.plugins import plugins_of
from gan_framework.config.schema import SECTIONS
from gan_framework.errors import ConfigError
from gan_framework.registry.kinds import KINDS
from gan_framework.storage import plain

NAMES = ("classes", "symbols")
"""Settings of data that hold names."""

MISSING = "???"
"""What OmegaConf takes for a value that is still to be given, and replaces by a default."""


def check(found: Mapping[str, Any], where: str) -> None:
    """Check plain settings; what a plugin is set to is checked when it is built.

    Raises:
        ConfigError: a value is missing or of another type; it names `where` and the setting.
    """
    _check_given(found, where)
    if "seed" in found and type(found["seed"]) is not int:
        raise ConfigError(f"{where}: seed is {plain.shown(found['seed'])}, not a whole number")
    for name, section in SECTIONS.items():
        known = {one.name for one in fields(section)}
        for key, value in (found.get(name) or {}).items():
            if key in known:
                _check_type(section, key, value, f"{where}: {name}.{key}")
    for place in sorted(kind.place for kind in KINDS.values() if kind.several):
        for key, settings in (found.get(place) or {}).items():
            if settings is not None and not isinstance(settings, Mapping):
                raise ConfigError(f"{where}: {place}.{key} is {plain.shown(settings)}, not the settings of a plugin")
    check_names(found, where)
    for place, _, settings in plugins_of(found):
        if not isinstance(settings["name"], str):
            raise ConfigError(f"{where}: {place}.name is {plain.shown(settings['name'])}, not the name of a plugin")


def check_names(found: Mapping[str, Any], where: str) -> None:
    """Check what was found in data and is kept for what is made without them: the names of classes and of symbols.

    Raises:
        ConfigError: they are no lists of texts; it names `where` and the setting.
    """
    sources = found.get("sources")
    others = sources.items() if isinstance(sources, Mapping) else ()
    for place, settings in [("data", found.get("data")), *((f"sources.{name}", one) for name, one in others)]:
        for name in NAMES if isinstance(settings, Mapping) else ():
            value = settings.get(name)
            if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
                raise ConfigError(f"{where}: {place}.{name} is {plain.shown(value)}, not a list of names")


def _check_given(settings: Any, where: str, path: str = "") -> None:
    for key, value in settings.items() if isinstance(settings, Mapping) else enumerate(settings):
        here = f"{path}.{key}" if path else str(key)
        if isinstance(value, (Mapping, list)):
            _check_given(value, where, here)
        elif value == MISSING:
            raise ConfigError(f"{where}: {here} is {MISSING}, which stands for a value that is missing")


def _check_type(section: type[Any], key: str, value: Any, what: str) -> None:
    try:
        # A text that looks like a reference is a text: only one type of setting takes that.
        OmegaConf.merge(OmegaConf.structured(section), {key: "text" if _is_reference(value) else value})
    except OmegaConfBaseException as error:
        raise ConfigError(f"{what} is {plain.shown(value)}: {str(error).splitlines()[0]}") from error


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and "${" in value
