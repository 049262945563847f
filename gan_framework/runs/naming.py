"""What people call a run: its model, its loss, what is added to them, and its seed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gan_framework.registry.aliases import ALIASES

LONGEST = 64
"""Characters of a name."""


def display_name(config: Mapping[str, Any]) -> str:
    """Return the name of a run by its resolved configuration: `dcgan-wasserstein-gp-s0`, `dcgan-hinge-fm+ema-s1`."""
    seed = f"-s{config['seed']}"
    name = "-".join(part for part in _parts(config) if part)
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", name)[: LONGEST - len(seed)].rstrip("-+") + seed


def _parts(config: Mapping[str, Any]) -> Iterator[str]:
    networks = config.get("networks") or {}
    named = [networks[name]["name"] for name in ("generator", *networks) if "name" in (networks.get(name) or {})]
    yield str(next(iter(named), (config.get("game") or {}).get("name") or "run"))
    yield str((config.get("loss") or {}).get("name") or "")
    for place, group in (("terms", "term"), ("strategy", "strategy")):
        yield "+".join(short(group, str(name)) for name in config.get(place) or {})


def short(group: str, option: str) -> str:
    """Return the shortest of the names that the field has for an option of a group."""
    return min([option, *(word for word, known in ALIASES.get(group, {}).items() if known == option)], key=len)
