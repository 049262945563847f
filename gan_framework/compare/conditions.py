"""Conditions on runs as they are typed: `loss=hinge`, `seed!=0`, `strategy=*ema*`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from gan_framework.compare.records import Damaged, Record, flatten
from gan_framework.errors import ConfigError
from gan_framework.registry.kinds import kind_of_group
from gan_framework.registry.near import near
from gan_framework.runs.columns import LISTS, chosen
from gan_framework.storage.text import visible


class Described(NamedTuple):
    """What conditions are about: a run's configuration and how it stands."""

    config: Mapping[str, Any]
    status: str


class Condition(NamedTuple):
    """A condition on runs: the setting, whether it is to have one of the values or none of them, and these."""

    key: str
    wanted: bool
    values: list[str]

    def admits(self, run: Described) -> bool:
        """Whether a run meets the condition."""
        return any(_like(own, value) for own in values_of(run, self.key) for value in self.values) == self.wanted


def parse(arguments: Iterable[str]) -> tuple[list[str], list[Condition]]:
    """Return what of the arguments are sources of runs, and what are conditions.

    Raises:
        ConfigError: a condition has no setting, or there is no source.
    """
    sources, conditions = [], []
    for text in arguments:
        if "=" in text and not Path(text).exists():
            conditions.append(condition(text))
        else:
            sources.append(text)
    if not sources:
        raise ConfigError(f"{visible(' '.join(arguments))} names no folder of runs; the first argument is one")
    return sources, conditions


def condition(text: str) -> Condition:
    """Return a condition.

    Raises:
        ConfigError: it is none.
    """
    key, is_set, value = text.partition("=")
    if not is_set or not key.rstrip("!"):
        raise ConfigError(f"{visible(text)} is not a condition: write KEY=VALUE, like status=failed or loss=hinge")
    values = [value] if value.startswith("[") else value.split(",")
    return Condition(key.removesuffix("!"), not key.endswith("!"), values)


def admitted(runs: list[Record | Damaged], conditions: list[Condition]) -> list[Record | Damaged]:
    """Return the runs that meet all conditions; those that cannot be read stay where there are none.

    Raises:
        ConfigError: no run has a setting that a condition names, or none meets all of them.
    """
    if not conditions:
        return runs
    described = {
        i: Described(run.config, str(run.summary.get("status")))
        for i, run in enumerate(runs)
        if isinstance(run, Record)
    }
    for one in conditions:
        require_known(one.key, list(described.values()))
    found = [runs[i] for i, run in described.items() if all(one.admits(run) for one in conditions)]
    if not found:
        asked = " ".join(f"{one.key}{'' if one.wanted else '!'}={','.join(one.values)}" for one in conditions)
        raise ConfigError(f"none of the {len(runs)} runs has {visible(asked)}")
    return found


def settings_of(config: Mapping[str, Any]) -> dict[str, str]:
    """Return every setting by its path, values written as JSON; a list of plugins is a setting too."""
    lists = {group: chosen(config[group]) for group in LISTS if isinstance(config.get(group), Mapping)}
    return dict(flatten(config)) | lists


def values_of(run: Described, key: str) -> list[str]:
    """Return the values that a run has for what a condition names.

    Args:
        run: the run.
        key: `status`; a group (`loss`, `strategy`); a setting (`train.steps`), or the end of its path (`lr`).
    """
    if key == "status":
        return [run.status]
    kind = kind_of_group(key)
    if kind is not None:
        section = run.config.get(kind.place)
        if not isinstance(section, Mapping):
            return []
        if kind.listed:
            return [str(name) for name in section] or ["none"]
        if kind.place == "networks":
            section = section.get(key)
        several = [section, *section.values()] if isinstance(section, Mapping) else []
        return [str(one["name"]) for one in several if isinstance(one, Mapping) and "name" in one]
    settings = settings_of(run.config)
    if key in settings:
        return [settings[key]]
    return [value for path, value in settings.items() if path.endswith(f".{key}")]


def require_known(key: str, found: list[Described]) -> None:
    """Raise ConfigError, with what is closest, if no run has a setting."""
    if not found or any(values_of(run, key) for run in found) or kind_of_group(key):
        return
    known = {"status"} | {path for run in found for path in settings_of(run.config)}
    close = near(key, known)
    proposed = f"closest: {', '.join(close)}" if close else "the config.yaml of a run has them all"
    raise ConfigError(f"{visible(key)}: no run has this setting; {proposed}")


def _like(own: str, value: str) -> bool:
    """Whether a value of a run, written as JSON, is one that was typed: as text, as a number, or by a pattern."""
    if own == value or fnmatchcase(own, value) or own.replace(" ", "").replace('"', "") == value.replace(" ", ""):
        return True
    try:
        return float(own) == float(value)
    except ValueError:
        return False
