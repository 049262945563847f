"""What a network's section of the configuration says of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gan_framework.errors import ConfigError
from gan_framework.registry import typecheck

TYPES: dict[str, Any] = {
    "from": str | None,
    "from_network": str | None,
    "freeze": list[str] | str | None,
    "unfreeze_at": int | None,
}


@dataclass(frozen=True)
class WeightSettings:
    """What a network starts from, and what of it is left alone.

    Attributes:
        source: a run's folder, a checkpoint, exported weights or `hf:REPO`; None for weights that are drawn.
        source_network: the network there whose weights are taken; None for the one of the same name, its averaged
            weights where there are such.
        freeze: patterns of the names of parameters, or of modules, that are not updated.
        unfreeze_at: the step from which on they are updated too; None for never.
    """

    source: str | None = None
    source_network: str | None = None
    freeze: tuple[str, ...] = ()
    unfreeze_at: int | None = None

    @classmethod
    def of(cls, network: str, section: Mapping[str, Any]) -> WeightSettings:
        """Read the settings of a network's section.

        Raises:
            ConfigError: one is of another type, or has no effect beside the others.
        """
        where = f"networks.{network}"
        for key, kind in TYPES.items():
            right = typecheck.misfit(section[key], kind) if key in section else None
            if right is not None:
                raise ConfigError(f"{where}.{key}={section[key]!r} must be {right}")
        freeze = section.get("freeze") or []
        found = cls(
            section.get("from"),
            section.get("from_network"),
            (freeze,) if isinstance(freeze, str) else tuple(freeze),
            section.get("unfreeze_at"),
        )
        if found.source_network is not None and found.source is None:
            raise ConfigError(
                f"{where}.from_network={found.source_network} names a network of the run that {where}.from names: set "
                "that too"
            )
        if found.unfreeze_at is not None:
            if not found.freeze:
                raise ConfigError(f"{where}.unfreeze_at={found.unfreeze_at}: nothing is frozen; set {where}.freeze too")
            if found.unfreeze_at < 1:
                raise ConfigError(f"{where}.unfreeze_at={found.unfreeze_at}: it must be at least 1, or null for never")
        return found


def weight_settings(networks: Mapping[str, Any]) -> dict[str, WeightSettings]:
    """Return the settings of all networks of a configuration, by the network's name.

    Raises:
        ConfigError: one is wrong, or of a network that there is not.
    """
    found = {}
    for name, section in networks.items():
        if not isinstance(section, Mapping):
            continue
        if "name" not in section and section.keys() and section.keys() <= TYPES.keys():
            there = ", ".join(other for other in networks if other != name)
            raise ConfigError(f"networks.{name}.{next(iter(section))}: there is no network {name}, but {there}")
        found[name] = WeightSettings.of(name, section)
    return found
