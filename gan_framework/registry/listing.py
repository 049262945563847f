"""What is installed, for people: each plugin's summary and settings, and what is wrong with it."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS
from gan_framework.registry.packages import config_folder, config_packages
from gan_framework.registry.registry import Plugin

OWN = "gan-framework"
"""The distribution of the framework and its built-in plugins."""

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
    """

    kind: str
    name: str
    distribution: str
    version: str
    summary: str
    settings: dict[str, Any]
    problem: str | None


def entries(kinds: tuple[str, ...] = tuple(KINDS)) -> Iterator[Entry]:
    """Yield all installed plugins of the kinds; each is imported, and one that cannot be ends nothing."""
    for kind in kinds:
        for plugin in registry.installed(kind):
            yield _entry(plugin)


def _entry(plugin: Plugin) -> Entry:
    summary, settings, problem = "", {}, None
    try:
        registry.find(plugin.kind, plugin.name)
        with contextlib.redirect_stdout(sys.stderr):
            factory = plugin.load()
        summary = (inspect.getdoc(factory) or "").partition("\n")[0]
        accepted = [*registry.settings(factory).values()][KINDS[plugin.kind].supplied :]
        settings = {p.name: REQUIRED if p.default is inspect.Parameter.empty else p.default for p in accepted}
    except ConfigError as error:
        problem = str(error)
    path = yaml_file(plugin)
    if path is not None:
        settings |= defaults(path, plugin.name)
    return Entry(plugin.kind, plugin.name, plugin.distribution, plugin.version, summary, settings, problem)


def config_problems() -> dict[str, str]:
    """Return what is wrong with the configuration packages of distributions, by distribution."""
    return {package.distribution: package.problem for package in config_packages() if package.problem}


def yaml_file(plugin: Plugin) -> Path | None:
    """Return the file of the option that is named like the plugin, of its own distribution; None if there is none."""
    if plugin.distribution == OWN:
        folders = [config_folder()]
    else:
        folders = [
            f for package in config_packages() if package.distribution == plugin.distribution for f in package.folders
        ]
    places = (folder / KINDS[plugin.kind].group / f"{plugin.name}.yaml" for folder in folders)
    return next((place for place in places if place.is_file()), None)


@cache
def defaults(path: Path, name: str) -> dict[str, Any]:
    """Return the settings that a configuration file gives to the plugin of a name, as they are written."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError:  # Hydra reports it when it is chosen
        return {}
    found = _mapping_of(content, name)
    return {key: value for key, value in found.items() if key not in ("name", "defaults")}


def _mapping_of(content: Any, name: str) -> dict[str, Any]:
    if not isinstance(content, dict):
        return {}
    if str(content.get("name")).rpartition(":")[2] == name:
        return content
    return next((found for value in content.values() if (found := _mapping_of(value, name))), {})
