"""How a configuration is composed outside of Hydra's own command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationKeyError, OmegaConfBaseException

import gan_framework.config.schema  # noqa: F401 (registers the schema)
from gan_framework.config.at_work import hydra_at_work
from gan_framework.config.explain import explain
from gan_framework.config.proposals import alias, kind_at, options_with
from gan_framework.errors import ConfigError
from gan_framework.registry.kinds import KINDS, OF_WEIGHTS, kind_of_group
from gan_framework.registry.packages import chooser, groups

PLAIN_TEXT = re.compile(r"""[^][{}()'"]*[=~#!&;<>^`][^][{}()'"]*(?<!\\)""")
"""Values that Hydra's grammar has no place for, though they can mean nothing but themselves: `runs/lr=0.1`, `~/x`."""

OF_WEIGHTS_TYPED = re.compile(rf"networks\.\w+\.({'|'.join(OF_WEIGHTS)})=")
"""Settings that every network takes and that are no plugin's own."""


def compose(overrides: Sequence[str], with_hydra: bool = False, name: str = "config") -> DictConfig:
    """Compose a configuration with overrides.

    Args:
        overrides: as on the command line.
        with_hydra: whether Hydra's own part is wanted too.
        name: the configuration; by default the default one.

    Raises:
        ConfigError: an override is wrong.
    """
    try:
        with hydra_at_work():
            read = loosened([*map(readable, overrides)])
            return hydra.compose(name, overrides=read, return_hydra_config=with_hydra)
    except (HydraException, OmegaConfBaseException, ValueError) as error:  # the last of `~group=[option]`
        raise ConfigError(explain(error, overrides)) from error


def readable(override: str) -> str:
    """Return an override as Hydra reads it: `prior=null`, no option of a group, is written `~prior` there.

    Options that the field knows by other names (`loss=wgan`) are called as they are here.
    """
    group, _, option = override.partition("=")
    if group.startswith("++") and group[2:] in groups():
        override = override[1:]  # what is chosen of a group is added, never forced
    if override.startswith("~") and (deleted := kind_of_group(override[1:])) is not None and deleted.listed:
        return f"{override[1:]}=[]"
    if option == "null" and group in groups():
        kind = kind_of_group(group)
        return f"{group}=[]" if kind is not None and kind.listed else f"~{group}"
    if OF_WEIGHTS_TYPED.match(override):
        override = f"++{override}"  # no network's YAML has them
    return quoted(alias(override))


def loosened(overrides: list[str]) -> list[str]:
    """Return overrides of which none is refused because an experiment has not chosen yet what it is a setting of."""
    experiment = next((one.partition("=")[2] for one in overrides if one.startswith("experiment=")), "")
    if chooser(experiment) is None:
        return overrides
    places = tuple(f"{kind.place}." for kind in KINDS.values() if kind.place != "data")
    return [f"++{one}" if one.startswith(places) else one for one in overrides]


def quoted(override: str) -> str:
    """Return an override with quotes around a value that Hydra's grammar would stumble over without."""
    key, is_set, value = override.partition("=")
    return f"{key}='{value}'" if is_set and not key.startswith("-") and PLAIN_TEXT.fullmatch(value) else override


def plain(config: DictConfig) -> dict[str, Any]:
    """Return a configuration resolved, as plain mappings, lists and values.

    Raises:
        ConfigError: a setting has no value or refers to one that does not exist.
    """
    try:
        resolved = OmegaConf.to_container(config, resolve=True, throw_on_missing=True, enum_to_str=True)
    except InterpolationKeyError as error:
        reason = " ".join(str(error).splitlines()[0].split())
        raise ConfigError(_of_other_parts(config, str(error.full_key), reason)) from error
    except Exception as error:
        reason = " ".join(str(error).split())
        if "parent node" in reason and isinstance(error, OmegaConfBaseException):
            place = str(error.full_key).partition(".")[0]
            name = OmegaConf.select(config, f"{place}.name")
            reason = (
                f"{error.full_key} refers to {place}, in which it stands: {place}={name} goes beside other data, "
                f"as a further source, +{place}@sources.NAME={name}"
            )
        raise ConfigError(reason) from error
    assert isinstance(resolved, dict)
    return {str(key): value for key, value in resolved.items()}


def _of_other_parts(config: DictConfig, key: str, reason: str) -> str:
    """Return what is wrong with a setting that refers to one which the configuration does not have.

    Args:
        config: the configuration.
        key: the setting.
        reason: what OmegaConf says, which names the other one.
    """
    missing = re.search(r"'([\w.]+)' not found", reason)
    place, _, setting = missing[1].rpartition(".") if missing else ("", "", "")
    if place.startswith("sources."):
        source, own = place.removeprefix("sources."), OmegaConf.select(config, "data.name")
        return (
            f"{key} is of the further source `{source}`, which data={own} does not bring: data=unpaired has one, a "
            f"second folder, and '+data@sources.{source}=NAME' adds any"
        )
    kind = kind_at(place)
    having = options_with(setting, kind) if kind is not None and setting else []
    if missing is None or kind is None or not having:
        return f"{key} refers to a setting that this configuration does not have: {reason}"
    own = OmegaConf.select(config, f"{place}.name")
    others = " or ".join(f"{kind.group}={name}" for name in having)
    part, name, *_ = key.split(".")
    listed = next((one.group for one in KINDS.values() if one.listed and one.place == part), None)
    without = f", or leave {name} out of {listed}" if listed else ""
    return f"{key} is {missing[1]}, which {kind.group}={own} does not have; {others} has it{without}"
