"""Settings in which runs differ, and how they are named in a line."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

LONG = re.compile(r"(?<![\w.])-?\d*\.\d{7,}(?:e-?\d+)?(?![\w.])")
"""A number of many digits, as a search proposes it."""


def named(settings: Mapping[str, str]) -> str:
    """Return the settings in which a group differs from others in one line, long numbers to six digits."""
    shown = {key: LONG.sub(lambda number: f"{float(number[0]):.6g}", value) for key, value in settings.items()}
    return ", ".join(f"{key}={value}" for key, value in shown.items()) or "all settings equal"


def differing(settings: list[dict[str, str]]) -> list[str]:
    """Return the settings in which groups differ, but those that follow from the choice of their plugin."""
    names = dict.fromkeys(name for one in settings for name in one)
    found = [name for name in names if len({one.get(name) for one in settings}) > 1]
    # What a choice (`loss.name`, `strategy`) is about begins like it (`loss.`, `strategy.`).
    choices: dict[str, list[str]] = defaultdict(list)
    for choice in found:
        choices[choice.removesuffix("name").rstrip(".")].append(choice)
    return [name for name in found if not any(_follows(name, choice, settings) for choice in _about(name, choices))]


def _about(name: str, choices: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield the choices that a setting may follow from."""
    for end, character in enumerate(name):
        if character == ".":
            yield from (choice for choice in choices.get(name[:end], []) if choice != name)


def _follows(name: str, choice: str, settings: list[dict[str, str]]) -> bool:
    """Return whether a setting of a plugin (`loss.weight_clip`) always has one value for each choice (`loss.name`)."""
    values: dict[str | None, set[str | None]] = defaultdict(set)
    for one in settings:
        values[one.get(choice)].add(one.get(name))
    return all(len(found) == 1 for found in values.values())
