"""What is installed, for people: each plugin's summary and settings, and what is wrong with it."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.defaults import defaults, yaml_file
from gan_framework.registry.kinds import KINDS
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
    """

    kind: str
    name: str
    distribution: str
    version: str
    summary: str
    settings: dict[str, Any]
    problem: str | None
    scores: dict[str, str] = field(default_factory=dict)


def entries(kinds: tuple[str, ...] = tuple(KINDS)) -> Iterator[Entry]:
    """Yield all installed plugins of the kinds; each is imported, and one that cannot be ends nothing."""
    for kind in kinds:
        for plugin in registry.installed(kind):
            yield _entry(plugin)


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
    return Entry(plugin.kind, plugin.name, plugin.distribution, plugin.version, summary, settings, problem, scores)


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
