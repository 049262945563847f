"""What a user may have meant who typed the name of a setting or of an option that there is not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gan_framework.config.field_names import ELSEWHERE, READERS, SETTINGS
from gan_framework.registry import registry
from gan_framework.registry.aliases import ALIASES, SPELLINGS, aliases_of, meant
from gan_framework.registry.defaults import defaults, yaml_file
from gan_framework.registry.kinds import KINDS, Kind, kind_of_group
from gan_framework.registry.near import near
from gan_framework.registry.packages import groups, options

MOST = 3
"""So many proposals are made."""

VERY_LIKE = 0.75
"""Names less like than this are none beside better proposals."""

ORDER = ("experiment", "model", "loss", "term", "strategy", "metrics", "data", "optimizer", "sampler", "extractor")
"""Groups that people mean first."""

COMMON = ("folder", "npz", "paired", "adam", "inception")
"""Plugins that are meant before others which have the same setting."""

SCORING = ("evaluate", "extractor", "sample")
"""Sections that say how a run is scored and shown."""

FOLLOWS = re.compile(r"\$\{([\w.]+)\}")
"""The value of a setting that is another one's."""

NAME = re.compile(r"(?<![\w./-])[A-Za-z0-9_][A-Za-z0-9_-]*(?![\w./-])")
"""An option's name in what a group is set to; no part of a path is one."""

RENAMED = {kind.group: kind.place for kind in KINDS.values() if kind.group != kind.place} | {"strategies": "strategy"}
"""Where the settings stand of what a group chooses, where the two have different names."""


def alias(override: str) -> str:
    """Return an override with the names that options have here for those that the field has for them."""
    key, is_set, value = override.partition("=")
    group = key.lstrip("+").partition("@")[0]
    if not is_set or (group not in ALIASES and group not in SPELLINGS):
        return override
    offered = options(group)
    return f"{key}={NAME.sub(lambda word: meant(group, word[0], offered) or word[0], value)}"


def settings_like(key: str, root: DictConfig) -> list[str]:
    """Return the settings of a configuration that a key may stand for: those that end in it, then similar names.

    A setting that follows another one stands for that one.

    Args:
        key: the whole key that was typed, `lr` or `generator.width`.
        root: the whole configuration.
    """
    known = {name: value for name, value in _settings(OmegaConf.to_container(root, resolve=False)) if _of_ours(name)}
    first, dot, rest = key.partition(".")
    renamed = f"{RENAMED[first]}{dot}{rest}" if first in RENAMED else key
    if renamed in known:
        return [renamed]
    if ending := settings_ending(key, known) or settings_ending(renamed, known):
        return ending
    last = key.rpartition(".")[2]
    similar = closest(last, {name.rpartition(".")[2] for name in known}, cutoff=VERY_LIKE)
    return [name for word in similar for name in known if name.rpartition(".")[2] == word][:MOST]


def settings_ending(key: str, known: Mapping[str, Any]) -> list[str]:
    """Return the settings whose path ends in a key, or what they follow; what trains comes before what scores.

    Args:
        key: `lr`, `generator.width`.
        known: the value of every setting, by its path.
    """
    found = [name for name in known if name.endswith(f".{key}")]
    found = [target[1] if (target := FOLLOWS.fullmatch(str(known[name]))) else name for name in found]
    return list(dict.fromkeys(sorted(found, key=lambda name: (name.startswith(SCORING), name.count(".")))))[:MOST]


def settings_within(path: str, key: str, root: DictConfig) -> list[str]:
    """Return the settings below a place whose path ends in a key: for `optimizer` and `lr`, each player's."""
    known = dict(_settings(OmegaConf.to_container(root, resolve=False)))
    return settings_ending(key, {name: value for name, value in known.items() if name.startswith(f"{path}.")})


def called_otherwise(key: str, value: str) -> list[str]:
    """Return the overrides that are meant by a setting of other programs: `n_critic=5`, `train.epochs=3`."""
    last = key.rpartition(".")[2].lower().replace("-", "_")
    return [override.format(value=value or "...") for override in SETTINGS.get(last, ())]


def option_called(word: str, but: str = "") -> list[str]:
    """Return `group=option` for the groups that have an option of a name.

    Args:
        word: the name.
        but: a group that is left out.
    """
    found = []
    for group in sorted(groups(), key=lambda group: (ORDER.index(group) if group in ORDER else len(ORDER), group)):
        option = meant(group, word, options(group)) if group != but else None
        if option is not None:
            kind = kind_of_group(group)
            found.append(f"'{group}=[{option}]'" if kind is not None and kind.listed else f"{group}={option}")
    return found[:MOST]


def instead(group: str, word: str) -> str:
    """Return what is right in the place of an option that there is not, as the end of a sentence.

    Args:
        group: the group.
        word: what was typed in the place of the option.
    """
    written = word.lower().replace("-", "_")
    if written in ELSEWHERE.get(group, {}):
        return ELSEWHERE[group][written]
    if group == "metrics" and (scores := _with_extractor(written)):
        return scores
    named = option_called(word, but=group)
    similar = _near_options(group, word, VERY_LIKE if named else 0.0)[: MOST - len(named[:1])]
    listing = f"closest: {', '.join(similar)}" if similar else ""
    elsewhere = f"there is {' or '.join(named[: MOST - len(similar)])}" if named else ""
    return "; ".join(filter(None, (elsewhere, listing))) or f"options of {group}: {_listed(group)}"


def _near_options(group: str, word: str, cutoff: float) -> list[str]:
    """Return the options of which a name is near to a word, the nearest first, each with the name if it is an alias."""
    names = {name: option for option in options(group) for name in (option, *aliases_of(group, option))}
    found: dict[str, str] = {}
    for name in closest(word, near(word, names), cutoff):
        found.setdefault(names[name], names[name] if name == names[name] else f"{names[name]} ({name})")
    return [*found.values()]


def _with_extractor(score: str) -> str:
    """Return what to type for the score of a metric by an extractor, `fid_inception`; empty if it is none."""
    for extractor in options("extractor"):
        metric = meant("metrics", score.removesuffix(f"_{extractor}"), options("metrics"))
        if metric is not None and score.endswith(f"_{extractor}"):
            return f"a score has its extractor in its name; did you mean 'metrics=[{metric}]' extractor={extractor}?"
    return ""


def _listed(group: str) -> str:
    kind = kind_of_group(group)
    name = kind.name if kind is not None else {"model": "models", "experiment": "experiments"}.get(group)
    some = options(group)
    if name is None:
        return ", ".join(some)
    return f"`gan-framework plugins {name}` lists all {len(some)}" if len(some) > MOST else ", ".join(some)


def options_with(setting: str, kind: Kind, value: str = "") -> list[str]:
    """Return the names of a kind's plugins whose configuration has a setting; what reads the named file comes first."""
    first = (READERS.get(PurePath(value).suffix.lower()) if setting == "path" else None, *COMMON)
    found = []
    for plugin in registry.installed(kind.name):
        path = yaml_file(plugin.kind, plugin.name, plugin.distribution)
        if path is not None and setting in defaults(path, plugin.name):
            found.append(plugin.name)
    return sorted(found, key=lambda name: first.index(name) if name in first else len(first))[:MOST]


def kind_at(path: str) -> Kind | None:
    """Return the kind whose one plugin has its settings at a place, `data`; None elsewhere."""
    return next((kind for kind in KINDS.values() if kind.place == path and not kind.several), kind_of_group(path))


def closest(name: str, among: Iterable[str], cutoff: float = 0.0) -> list[str]:
    """Return the names that are most like one, the closest first."""
    return difflib.get_close_matches(name, sorted(set(among)), n=MOST, cutoff=cutoff)


def _of_ours(name: str) -> bool:
    """Whether a setting is one that people set: of Hydra's, few are."""
    return not name.startswith("hydra.") or name in ("hydra.run.dir", "hydra.sweep.dir")


def _settings(settings: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        here = f"{path}.{key}" if path else str(key)
        yield here, value
        if isinstance(value, Mapping):
            yield from _settings(value, here)
