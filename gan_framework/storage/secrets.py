"""Keeps secrets out of what a run writes and sends."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "***"
SECRET_NAME = re.compile(r"(^|_)((api|access|secret|private)_?key|token|secret|password|credentials?)$", re.IGNORECASE)
SHORTEST_SECRET = 8
"""Shorter values are no secrets worth the name, and too common in other text, except where they are given."""

OVERRIDE = re.compile(r"([+~]*[\w.@/-]+)=(.+)", re.DOTALL)

_given: set[str] = set()
"""Secrets that settings have given in this process."""


def learn(overrides: Iterable[str]) -> None:
    """Know from now on the values of those overrides, `key=value`, whose settings are named like secrets."""
    for override in overrides:
        found = OVERRIDE.fullmatch(override)
        if found and _is_secret(found[1]):
            _given.add(found[2].strip("'\""))


def learn_settings(settings: Any) -> None:
    """Know from now on the secrets among settings, plain mappings and lists."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if isinstance(value, str) and SECRET_NAME.search(str(key)):
                _given.add(value)
            learn_settings(value)
    elif isinstance(settings, (list, tuple)):
        for value in settings:
            learn_settings(value)


def mask(value: Any) -> Any:
    """Return plain data with secrets replaced: settings named like one, and what the environment or a setting holds.

    Args:
        value: text, or mappings and lists of plain values.
    """
    return _mask(value, _secrets())


def _mask(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            key: MASK if inner and isinstance(inner, str) and SECRET_NAME.search(str(key)) else _mask(inner, secrets)
            for key, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_mask(inner, secrets) for inner in value]
    if isinstance(value, str):
        found = OVERRIDE.fullmatch(value)
        if found and _is_secret(found[1]):
            return f"{found[1]}={MASK}"
        for secret in secrets:
            value = value.replace(secret, MASK)
    return value


def _is_secret(setting: str) -> bool:
    return SECRET_NAME.search(setting.rpartition(".")[2].lstrip("+~")) is not None


def _secrets() -> list[str]:
    """Return the secrets that are known, the longest first."""
    found = {text for name, text in os.environ.items() if SECRET_NAME.search(name)} | _given
    return sorted((text for text in found if len(text) >= SHORTEST_SECRET), key=len, reverse=True)
