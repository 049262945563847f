"""Keeps secrets out of what a run writes and sends: settings cannot hold any, and the environment's are masked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from gan_framework.errors import ConfigError

MASK = "***"
SECRET_NAME = re.compile(r"(^|_)((api|access|secret|private)_?key|token|secret|password|credentials?)$", re.IGNORECASE)
SHORTEST_SECRET = 8
"""Shorter values are no secrets worth the name, and too common in other text."""


def refuse(overrides: Iterable[str]) -> None:
    """Raise ConfigError, naming it but not its value, if an override `key=value` sets what is named like a secret."""
    for override in overrides:
        key, is_set, value = override.partition("=")
        if is_set and value not in ("", "null"):
            _refuse(key.lstrip("+~"))


def refuse_settings(settings: Any, path: str = "") -> None:
    """Raise ConfigError, naming it but not its value, if plain settings hold text that is named like a secret."""
    items = (
        settings.items() if isinstance(settings, Mapping) else enumerate(settings) if isinstance(settings, list) else ()
    )
    for key, value in items:
        here = f"{path}.{key}" if path else str(key)
        if isinstance(value, str) and value:
            _refuse(here)
        refuse_settings(value, here)


def _refuse(setting: str) -> None:
    if SECRET_NAME.search(setting.rpartition(".")[2]):
        raise ConfigError(
            f"{setting}: a setting is stored with the run and shown to everybody, so it can hold no secret: leave it "
            "out and export it in the environment (WANDB_API_KEY)"
        )


def mask(value: Any) -> Any:
    """Return plain data in which what secrets of the environment hold is replaced, wherever it stands.

    Args:
        value: text, or mappings and lists of plain values.
    """
    found = {text for name, text in os.environ.items() if SECRET_NAME.search(name) and len(text) >= SHORTEST_SECRET}
    return _mask(value, sorted(found, key=len, reverse=True)) if found else value


def _mask(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _mask(inner, secrets) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mask(inner, secrets) for inner in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
    return value
