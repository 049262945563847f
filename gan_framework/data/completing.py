"""Settings of data that are known only when the data have been looked at."""

from __future__ import annotations

from collections.abc import Iterator

from omegaconf import DictConfig, OmegaConf

from gan_framework.data.source import build_source
from gan_framework.registry import registry


def with_found(composed: DictConfig) -> DictConfig:
    """Return a configuration with what datasets find out of their data (`DataSource.finds`), where it is null.

    Networks and metrics refer to it. Datasets that find out nothing are not looked at.
    """
    composed = composed.copy()
    for settings in _places(composed):
        finds = registry.find("datasets", settings.name).load().finds  # type: ignore[attr-defined]
        if any(name in settings and settings[name] is None for name in finds):
            source = build_source(OmegaConf.to_container(settings, resolve=True))  # type: ignore[arg-type]
            settings.update({name: source.found[name] for name in finds})
    return composed


def _places(composed: DictConfig) -> Iterator[DictConfig]:
    for settings in (composed.get("data"), *(composed.get("sources") or {}).values()):
        if isinstance(settings, DictConfig) and settings.get("name"):
            yield settings
