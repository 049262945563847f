"""Keeps secrets out of what a run writes and sends."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

MASK = "***"
SECRET_NAME = re.compile(r"(^|_)((api|access|secret|private)_?key|token|secret|password|credentials?)$", re.IGNORECASE)
SHORTEST_SECRET = 8
"""Shorter values of environment variables are no secrets worth the name, and too common in other text."""


def mask(value: Any) -> Any:
    """Return plain data with secrets replaced: settings named like one, and what the environment holds.

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
        for secret in secrets:
            value = value.replace(secret, MASK)
    return value


def _secrets() -> list[str]:
    """Return the values of environment variables named like secrets, the longest first."""
    found = (text for name, text in os.environ.items() if SECRET_NAME.search(name))
    return sorted((text for text in found if len(text) >= SHORTEST_SECRET), key=len, reverse=True)
