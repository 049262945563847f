"""The plugins that a configuration names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gan_framework.registry.kinds import KINDS, kind_of_network


def plugins_of(config: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield of every plugin that a configuration names where its settings stand, its kind and its settings."""
    places = {kind.place: (kind.name, kind.several) for kind in KINDS.values()} | {"sources": ("datasets", True)}
    for place, (kind, several) in places.items():
        section = config.get(place) or {}
        for where, settings in (
            ((f"{place}.{name}", one) for name, one in section.items()) if several else ((place, section),)
        ):
            if isinstance(settings, Mapping) and "name" in settings:
                name = where.rpartition(".")[2]
                yield where, kind_of_network(name).name if place == "networks" else kind, settings
