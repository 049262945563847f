"""What the plain values of a checkpoint must be: files come from other machines, other versions and other people."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import Tensor

from gan_framework.config import saved_types
from gan_framework.config.plugins import plugins_of
from gan_framework.config.schema import SECTIONS, Config
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.storage.plain import require_plain, shown

MOST = 10**15
"""No run counts further than that."""

MOST_VALUES = 2**31
"""No sample has more."""

Check = Callable[[Any], bool]


def check(state: Mapping[str, Any]) -> None:
    """Raise ConfigError, naming the field, if a plain value of a checkpoint is not what it should be."""
    require_plain({name: value for name, value in state.items() if name not in ("game", "shape")}, "its fields")
    for name, (right, what) in FIELDS.items():
        if name in state:
            _require(name, state[name], right, what)
    for name, inner in INNER.items():
        for key, (right, what) in inner.items():
            if key in state.get(name, {}):
                _require(f"{name}.{key}", state[name][key], right, what)
    unknown = state["clock"].keys() - INNER["clock"].keys()
    if "step" not in state["clock"] or unknown:
        raise ConfigError(f"clock has the fields {', '.join(map(shown, state['clock']))}")
    for name in [name for name in ("best", "watch") if state.get(name)]:
        missing = INNER[name].keys() - state[name].keys() - NEWER
        if missing:
            raise ConfigError(f"{name} lacks the fields {', '.join(sorted(missing))}")
    _check_config(state["config"])
    if "shape" in state:
        check_shape(state["shape"])


def _check_config(config: Mapping[str, Any]) -> None:
    for section in fields(Config):
        if section.name in SECTIONS:
            _check_section(section.name, config.get(section.name, {}))
        elif section.name == "seed":
            _require("config.seed", config.get("seed"), _is_whole, "a whole number")
        else:
            _require(f"config.{section.name}", config.get(section.name), _is_section, "a group of settings")
    saved_types.check_names(config, "config")
    for where, _, settings in plugins_of(config):
        _require(f"config.{where}.name", settings["name"], _is_text, "a text")


def _check_section(name: str, settings: Any) -> None:
    _require(f"config.{name}", settings, is_mapping, "a group of settings")
    known = {one.name for one in fields(SECTIONS[name])}
    try:
        OmegaConf.merge(OmegaConf.structured(SECTIONS[name]), {k: v for k, v in settings.items() if k in known})
    except (OmegaConfBaseException, TypeError, ValueError) as error:
        raise ConfigError(f"config.{name}: {' '.join(str(error).split())[:200]}") from error


def check_shape(shape: Any) -> None:
    """Raise ConfigError if plain values are not the shape of samples."""
    try:
        found = DataShape.of(shape)
        sizes = [*found.sample, *(size for inner in found.extra.values() for size in inner)]
        right = all(map(is_count, [*sizes, *found[1:3], found.vocabulary, found.size]))
        right = right and 0 < math.prod(found.sample) <= MOST_VALUES
    except (TypeError, ValueError, AttributeError, LookupError, RecursionError):
        right = False
    if not right:
        raise ConfigError(f"shape is {shown(shape)} and not that of samples")


def _require(name: str, value: Any, right: Check, what: str) -> None:
    if not right(value):
        raise ConfigError(f"{name} is {shown(value)} and not {what}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < MOST


def is_count(value: Any) -> bool:
    """Return whether a value is a whole number, 0 or more, as far as any run counts."""
    return _is_whole(value) and value >= 0


def _is_time(value: Any) -> bool:
    return _is_number(value) and 0 <= value < MOST


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_mapping(value: Any) -> bool:
    """Return whether a value is a mapping with texts for keys."""
    return isinstance(value, Mapping) and all(map(_is_text, value))


def _is_section(value: Any) -> bool:
    return value is None or value == [] or is_mapping(value)


def are_numbers(value: Any) -> bool:
    """Return whether a value holds numbers by name."""
    return is_mapping(value) and all(map(_is_number, value.values()))


def are_mappings(value: Any) -> bool:
    """Return whether a value holds mappings by name."""
    return is_mapping(value) and all(map(is_mapping, value.values()))


def _is_list_of(right: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(right, value))


def _are_identities(value: Any) -> bool:
    return are_mappings(value) and all(
        _is_text(one.get("content")) and is_count(one.get("samples")) for one in value.values()
    )


def _are_pretrained(value: Any) -> bool:
    return are_mappings(value) and all(
        _is_text(one.get("name")) and _is_text(one.get("sha256")) for one in value.values()
    )


def _is_state(value: Any) -> bool:
    return is_mapping(value) and all(isinstance(one, (Tensor, Mapping)) for one in value.values())


FIELDS: dict[str, tuple[Check, str]] = {
    "format": (is_count, "a whole number"),
    "config": (is_mapping, "a configuration"),
    "data": (_are_identities, "the content and the number of samples of each source"),
    "game": (_is_state, "tensors and plain states by name"),
    "pretrained": (_are_pretrained, "the name and the hash of each pretrained network by its place"),
    "clock": (is_mapping, "a mapping"),
    "batches": (is_count, "a whole number, 0 or more"),
    "images_seen": (is_count, "a whole number, 0 or more"),
    "best": (is_mapping, "a mapping"),
    "metrics": (are_numbers, "numbers by name"),
    "scored": (is_count, "a whole number, 0 or more"),
    "protocol": (is_mapping, "a mapping"),
    "baselines": (is_mapping, "a mapping"),
    "watch": (is_mapping, "a mapping"),
    "begun": (lambda value: value is None or are_numbers(value), "numbers by name"),
}
"""What each field of a checkpoint must be; an older version may not have all."""

INNER: dict[str, dict[str, tuple[Check, str]]] = {
    "clock": {
        "step": (is_count, "a whole number, 0 or more"),
        "seconds": (_is_time, "a number of seconds"),
        "training_seconds": (_is_time, "a number of seconds"),
        "rollbacks": (is_count, "a whole number, 0 or more"),
    },
    "best": {
        "metric": (_is_text, "a text"),
        "step": (is_count, "a whole number, 0 or more"),
        "value": (_is_number, "a number"),
        "higher_is_better": (lambda value: isinstance(value, bool), "true or false"),
    },
    "protocol": {"metrics": (are_mappings, "the settings of metrics by score")},
    "watch": {
        "named": (_is_list_of(_is_text), "a list of texts"),
        "real": (_is_list_of(_is_number), "a list of numbers"),
        "fake": (_is_list_of(_is_number), "a list of numbers"),
        "train": (_is_list_of(_is_number), "a list of numbers"),
        "held_out": (_is_list_of(_is_number), "a list of numbers"),
        "present": (is_mapping, "a mapping"),
    },
}
"""What the fields within some of them must be."""

NEWER = {"train", "held_out"}
"""Those that checkpoints of version 0.1 do not have."""
