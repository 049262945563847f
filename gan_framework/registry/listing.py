"""What is installed, for people: each plugin's summary and settings, and what is wrong with it."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.aliases import aliases_of
from gan_framework.registry.defaults import OWN, defaults, yaml_file
from gan_framework.registry.kinds import KINDS, kind_of_group
from gan_framework.registry.options import Option, find, options_of
from gan_framework.registry.packages import config_packages
from gan_framework.registry.registry import Plugin

REQUIRED = "???"
"""Stands for the default of a setting that has none, as in OmegaConf."""


@dataclass(frozen=True)
class Entry:
    """An installed plugin, as it is shown.

    Attributes:
        kind: the plugin's kind.
        name: its name.
        distribution: the distribution it comes from.
        version: the distribution's version.
        summary: the first line of its docstring.
        settings: its settings with their defaults; `???` for one that has none.
        problem: why it cannot be used, or None.
        scores: what each score of a metric says, behind its better direction.
        aliases: other names that it can be chosen by.
    """

    kind: str
    name: str
    distribution: str
    version: str
    summary: str
    settings: dict[str, Any]
    problem: str | None
    scores: dict[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


COMPOSED = {"models": "model", "experiments": "experiment"}
"""Kinds of options that are no plugins but choose some, and their groups."""


def entries(kinds: tuple[str, ...] = tuple(KINDS)) -> Iterator[Entry]:
    """Yield all installed plugins of the kinds; each is imported, and one that cannot be ends nothing."""
    for kind in kinds:
        for plugin in registry.installed(kind):
            yield _entry(plugin)


def composed(kind: str) -> Iterator[Entry]:
    """Yield all models, or all experiments: what each is, with its source."""
    for option in options_of(COMPOSED[kind]):
        yield _of_option(kind, option, {})


def configured(kind: str) -> Iterator[Entry]:
    """Yield the options of a kind that are plugins in certain settings, or with others: `loss=wasserstein_gp`."""
    group, place = KINDS[kind].group, KINDS[kind].place
    plugins = {plugin.name for plugin in registry.installed(kind)}
    for option in options_of(group):
        if option.name in plugins or kind_of_group(group) is not KINDS[kind]:
            continue
        content = option.content
        settings: dict[str, Any] = content if "name" in content else content.get(place) or {}
        yield _of_option(kind, option, settings | _brought(option))


def _brought(option: Option) -> dict[str, Any]:
    """Return the settings of the terms, strategies and so on that an option brings, by their whole names."""
    found: dict[str, Any] = {}
    for other in [other for other in KINDS.values() if other.listed and other.group != option.group]:
        for name in option.chosen(other.group):
            brought = find(other.group, name)
            own = (option.content.get(other.place) or {}).get(name) or {}
            known = (defaults(brought.file, name) if brought is not None else {}) | own
            found |= {f"{other.place}.{name}.{key}": value for key, value in known.items()}
    return found


def _of_option(kind: str, option: Option, settings: dict[str, Any]) -> Entry:
    try:
        release = version(option.distribution)
    except PackageNotFoundError:
        release = "?"
    return Entry(
        kind, option.name, option.distribution, release, option.summary, settings, None,
        aliases=aliases_of(option.group, option.name),
    )  # fmt: skip


def _entry(plugin: Plugin) -> Entry:
    summary, settings, problem, scores = "", {}, None, {}
    try:
        registry.find(plugin.kind, plugin.name)
        with contextlib.redirect_stdout(sys.stderr):
            factory = plugin.load()
        summary = (inspect.getdoc(factory) or "").partition("\n")[0]
        accepted = [*registry.settings(factory).values()][KINDS[plugin.kind].supplied :]
        settings = {p.name: REQUIRED if p.default is inspect.Parameter.empty else p.default for p in accepted}
        scores = _legend(factory) if plugin.kind == "metrics" else {}
    except ConfigError as error:
        problem = str(error)
    path = yaml_file(plugin.kind, plugin.name, plugin.distribution)
    if path is not None:
        settings |= defaults(path, plugin.name)
        settings |= _brought(Option(KINDS[plugin.kind].group, plugin.name, plugin.distribution, path))
    aliases = aliases_of(KINDS[plugin.kind].group, plugin.name) if plugin.distribution == OWN else ()
    return Entry(
        plugin.kind, plugin.name, plugin.distribution, plugin.version, summary, settings, problem, scores, aliases
    )


def _legend(metric: Any) -> dict[str, str]:
    """Return what the scores of a metric say: those that it explains, and those that rank."""
    legend, higher = (getattr(metric, name, {}) for name in ("legend", "higher_is_better"))
    return {score: f"{better(higher.get(score))}{legend.get(score, '')}".strip() for score in {**legend, **higher}}


def better(higher: bool | None) -> str:
    """Return an arrow to the better direction of a score, or as much room."""
    return {True: "↑ ", False: "↓ ", None: "  "}[higher]


def config_problems() -> dict[str, str]:
    """Return what is wrong with the configuration packages of distributions, by distribution."""
    return {package.distribution: package.problem for package in config_packages() if package.problem}
