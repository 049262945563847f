"""The protocol: all that must be the same before two scores may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Protocol = dict[str, Any]
"""Field names to values that JSON holds; `metrics` maps each score to its metric's settings."""

COSTS = ("generated_per_sample",)
"""Fields of what scores cost, which is another for every run."""

NEWER = ("classes",)
"""Fields that protocols of version 0.1 do not have; what is not known does not differ."""


def differences(a: Mapping[str, Any], b: Mapping[str, Any], score: str | None = None) -> list[str]:
    """Return the names of the fields in which two protocols differ; none means comparable.

    Args:
        a: a protocol.
        b: another protocol.
        score: the score to be compared; the settings of other metrics then do not matter. Without
            it, the settings of all scores that both protocols have must be the same.
    """
    unknown = {field for field in NEWER if field not in a or field not in b}
    fields = sorted((a.keys() | b.keys()) - {"metrics", *COSTS} - unknown)
    differing = [field for field in fields if a.get(field) != b.get(field)]
    settings_a, settings_b = a.get("metrics", {}), b.get("metrics", {})
    for name in [score] if score else sorted(settings_a.keys() & settings_b.keys()):
        own, other = settings_a.get(name, {}), settings_b.get(name, {})
        differing += [
            f"metrics.{name}.{key}" for key in sorted(own.keys() | other.keys()) if own.get(key) != other.get(key)
        ]
    return differing
