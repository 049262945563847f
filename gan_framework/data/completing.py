"""Settings of data that are known only when the data have been looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gan_framework.data.source import build_source
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.storage import plain

MISSING = "???"
"""What a configuration takes for a value that is still to be given."""


def with_found(composed: DictConfig) -> DictConfig:
    """Return a configuration with what datasets find out of their data (`DataSource.finds`), where it is null.

    Networks and metrics refer to it. Datasets that find out nothing are not looked at.
    """
    composed = composed.copy()
    for settings in _places(composed):
        finds = registry.find("datasets", settings.name).load().finds  # type: ignore[attr-defined]
        if any(name in settings and settings[name] is None for name in finds):
            source = build_source(OmegaConf.to_container(settings, resolve=True))  # type: ignore[arg-type]
            settings.update(as_settings({name: source.found[name] for name in finds}))
    return composed


def as_settings(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was found in data as settings that hold just that.

    The names of classes, columns and words are anybody's: one that looks like a reference to another setting, or to a
    variable of the environment, is a text.

    Raises:
        ConfigError: one of them cannot be the value of a setting.
    """
    for name, value in found.items():
        if _holds_missing(value):
            raise ConfigError(
                f"data.{name}: the data have the name {MISSING!r}, which in a run's settings stands for a value that "
                "is missing: call it otherwise"
            )
    settings: dict[str, Any] = plain.literal(found)
    return settings


def _holds_missing(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_missing, value.values()))
    return any(map(_holds_missing, value)) if isinstance(value, (list, tuple)) else value == MISSING


def _places(composed: DictConfig) -> Iterator[DictConfig]:
    for settings in (composed.get("data"), *(composed.get("sources") or {}).values()):
        if isinstance(settings, DictConfig) and settings.get("name"):
            yield settings
