"""What a user may have meant who typed the name of a setting or of an option that there is not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gan_framework.registry import registry
from gan_framework.registry.aliases import ALIASES
from gan_framework.registry.defaults import defaults, yaml_file
from gan_framework.registry.kinds import KINDS, Kind, kind_of_group
from gan_framework.registry.packages import options

MOST = 3
"""So many proposals are made."""

RENAMED = {kind.group: kind.place for kind in KINDS.values() if kind.group != kind.place} | {"strategies": "strategy"}
"""Where the settings stand of what a group chooses, where the two have different names."""


def alias(override: str) -> str:
    """Return an override with the names that options have here for those that the field has for them."""
    group, is_set, value = override.partition("=")
    known = ALIASES.get(group.lstrip("+"), {})
    if not is_set or not known:
        return override
    offered = options(group.lstrip("+"))

    def named(word: re.Match[str]) -> str:
        plain = word[0].lower().replace("-", "_")  # WGAN-GP
        found = next((name for name in (word[0], plain) if name in offered), None)
        return found or known.get(plain, word[0])

    return f"{group}={re.sub(r'[A-Za-z_][A-Za-z0-9_-]*', named, value)}"


def settings_like(key: str, root: DictConfig) -> list[str]:
    """Return the settings of a configuration that a key may stand for: those that end in it, then similar names.

    Args:
        key: the whole key that was typed, `lr` or `generator.width`.
        root: the whole configuration.
    """
    known = [*_keys(OmegaConf.to_container(root, resolve=False))]
    first, dot, rest = key.partition(".")
    renamed = f"{RENAMED[first]}{dot}{rest}" if first in RENAMED else key
    if renamed in known:
        return [renamed]
    ending = [name for name in known if name.endswith(f".{key}") or name.endswith(f".{renamed}")]
    if ending:
        # What trains comes before what scores.
        return sorted(ending, key=lambda name: (name.count("."), name.startswith("evaluate")))[:MOST]
    last = key.rpartition(".")[2]
    similar = closest(last, {name.rpartition(".")[2] for name in known}, cutoff=0.75)
    return [name for word in similar for name in known if name.rpartition(".")[2] == word][:MOST]


def options_with(setting: str, kind: Kind) -> list[str]:
    """Return the names of a kind's plugins whose configuration has a setting."""
    found = []
    for plugin in registry.installed(kind.name):
        path = yaml_file(plugin.kind, plugin.name, plugin.distribution)
        if path is not None and setting in defaults(path, plugin.name):
            found.append(plugin.name)
    return found[:MOST]


def kind_at(path: str) -> Kind | None:
    """Return the kind whose one plugin has its settings at a place, `data`; None elsewhere."""
    return next((kind for kind in KINDS.values() if kind.place == path and not kind.several), kind_of_group(path))


def closest(name: str, among: Iterable[str], cutoff: float = 0.0) -> list[str]:
    """Return the names that are most like one, the closest first."""
    return difflib.get_close_matches(name, sorted(set(among)), n=MOST, cutoff=cutoff)


def _keys(settings: Any, path: str = "") -> Iterator[str]:
    for key, value in settings.items():
        here = f"{path}.{key}" if path else str(key)
        yield here
        if isinstance(value, Mapping):
            yield from _keys(value, here)
