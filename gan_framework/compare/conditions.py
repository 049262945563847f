"""Conditions on runs as they are typed: `loss=hinge`, `seed!=0`, `strategy=*ema*`, `step>=1000`, `fid<100`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from gan_framework.compare.records import Damaged, Record, flatten
from gan_framework.errors import ConfigError
from gan_framework.registry.kinds import kind_of_group
from gan_framework.registry.near import near
from gan_framework.runs.columns import LISTS, chosen
from gan_framework.storage.text import visible

TYPED = re.compile(r"([^=!<>]+)(<=|>=|!=|=|<|>)(.*)", re.DOTALL)
"""A setting, an operator and what follows it."""

NO_SCORES: Mapping[str, float] = MappingProxyType({})

ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


WORDS = {"true": ("true", "yes", "on"), "false": ("false", "no", "off"), "null": ("null", "none")}
"""How values that are words may be typed, in small letters or large ones."""


class Described(NamedTuple):
    """What conditions are about: a run's configuration, how it stands, how far it is, and its scores by name."""

    config: Mapping[str, Any]
    status: str
    step: int | None = None
    scores: Mapping[str, float] = NO_SCORES


class Condition(NamedTuple):
    """A condition on runs: what it is about, its operator, and the values, of which an order has one."""

    key: str
    operator: str
    values: list[str]

    def __str__(self) -> str:
        return f"{self.key}{self.operator}{','.join(self.values)}"

    def admits(self, run: Described) -> bool:
        """Whether a run meets the condition."""
        own = values_of(run, self.key)
        if self.operator in ORDERS:
            bound = float(self.values[0])
            return any(number is not None and ORDERS[self.operator](number, bound) for number in map(_number, own))
        return any(_like(value, asked) for value in own for asked in self.values) == (self.operator == "=")


def parse(arguments: Iterable[str]) -> tuple[list[str], list[Condition]]:
    """Return what of the arguments are sources of runs, and what are conditions.

    Raises:
        ConfigError: a condition has no setting, or there is no source.
    """
    sources, conditions = [], []
    for text in arguments:
        if is_condition(text) and not Path(text).exists():
            conditions.append(condition(text))
        else:
            sources.append(text)
    if not sources:
        raise ConfigError(f"{visible(' '.join(arguments))} names no folder of runs; the first argument is one")
    return sources, conditions


def is_condition(text: str) -> bool:
    """Whether a text has the form of a condition."""
    return TYPED.fullmatch(text) is not None


def condition(text: str) -> Condition:
    """Return a condition.

    Raises:
        ConfigError: it is none, or an order of what is no number.
    """
    found = TYPED.fullmatch(text)
    if not found:
        raise ConfigError(
            f"{visible(text)} is not a condition: write KEY=VALUE, like status=failed or loss=hinge, or 'KEY<NUMBER'"
        )
    key, sign, value = found.groups()
    if sign == "=" and value[:1] in ORDERS:
        raise ConfigError(f"{visible(text)}: write '{visible(f'{key}{value[0]}={value[1:]}')}'")
    if sign in ORDERS:
        if _number(value) is None:
            raise ConfigError(f"{visible(text)}: {sign} compares with one number, as in 'step{sign}1000'")
        return Condition(key, sign, [value])
    return Condition(key, sign, [value] if value.startswith("[") else value.split(","))


def admitted(runs: list[Record | Damaged], conditions: list[Condition]) -> list[Record | Damaged]:
    """Return the runs that meet all conditions; those that cannot be read stay where there are none.

    Raises:
        ConfigError: no run has a setting that a condition names, or none meets all of them.
    """
    if not conditions:
        return runs
    described = {
        i: Described(run.config, str(run.summary.get("status")), run.summary.get("step"))
        for i, run in enumerate(runs)
        if isinstance(run, Record)
    }
    for one in conditions:
        require_known(one.key, list(described.values()))
    found = [runs[i] for i, run in described.items() if all(one.admits(run) for one in conditions)]
    if not found:
        raise ConfigError(f"none of the {len(runs)} runs has {visible(' '.join(map(str, conditions)))}")
    return found


def settings_of(config: Mapping[str, Any]) -> dict[str, str]:
    """Return every setting by its path, values written as JSON; a list of plugins is a setting too."""
    lists = {group: chosen(config[group]) for group in LISTS if isinstance(config.get(group), Mapping)}
    return dict(flatten(config)) | lists


def values_of(run: Described, key: str) -> list[str]:
    """Return the values that a run has for what a condition names.

    Args:
        run: the run.
        key: `status`; `step`, how far it is; a group (`loss`, `strategy`); a setting (`train.steps`), or the end of its
            path (`lr`); a score, also without its extractor (`fid`).
    """
    if key == "status":
        return [run.status]
    if key == "step":
        return [] if run.step is None else [str(run.step)]
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
    found = [value for path, value in settings.items() if path.endswith(f".{key}")]
    return found or [repr(value) for name, value in run.scores.items() if key in (name, _without_extractor(name, run))]


def require_known(key: str, found: list[Described]) -> None:
    """Raise ConfigError, with what is closest, if no run has a setting."""
    if not found or any(values_of(run, key) for run in found) or kind_of_group(key):
        return
    known = {"status", "step"} | {path for run in found for path in settings_of(run.config)}
    known |= {name for run in found for name in run.scores}
    close = near(key, known)
    proposed = f"closest: {', '.join(close)}" if close else "the config.yaml of a run has them all"
    what = "setting or score" if any(run.scores for run in found) else "setting"
    metrics = {str(name) for run in found for name in run.config.get("metrics") or ()}
    if what == "setting" and any(key == name or key.startswith(f"{name}_") for name in metrics):
        proposed = "runs chosen by their scores cannot be compared fairly; `gan-framework runs` filters by scores"
    raise ConfigError(f"{visible(key)}: no run has this {what}; {proposed}")


def _without_extractor(name: str, run: Described) -> str:
    extractor = run.config.get("extractor")
    return (
        name.removesuffix(f"_{extractor['name']}") if isinstance(extractor, Mapping) and "name" in extractor else name
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _like(own: str, value: str) -> bool:
    """Whether a value of a run, written as JSON, is one that was typed: as text, as a number, or by a pattern."""
    if own == value or fnmatchcase(own, value) or own.replace(" ", "").replace('"', "") == value.replace(" ", ""):
        return True
    if own in WORDS and value.lower() in WORDS[own]:
        return True
    number = _number(own)
    return number is not None and number == _number(value)
