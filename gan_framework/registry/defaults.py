"""The defaults of plugins' settings, which live in their YAML."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from gan_framework.registry.kinds import KINDS
from gan_framework.registry.packages import config_folder, config_packages

OWN = "gan-framework"
"""The distribution of the framework and its built-in plugins."""


def yaml_file(kind: str, name: str, distribution: str) -> Path | None:
    """Return the file of the option that is named like a plugin, of its own distribution; None if there is none."""
    if distribution == OWN:
        folders = [config_folder()]
    else:
        folders = [f for package in config_packages() if package.distribution == distribution for f in package.folders]
    places = (folder / KINDS[kind].group / f"{name}.yaml" for folder in folders)
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
