"""Settings that name files, made to mean the same wherever the configuration is read."""

from __future__ import annotations

from omegaconf import DictConfig, OmegaConf

from gan_framework.config.compose import plain
from gan_framework.config.plugins import plugins_of
from gan_framework.registry import registry
from gan_framework.registry.paths import absolute
from gan_framework.storage import hub
from gan_framework.storage.plain import literal


def anchored(composed: DictConfig) -> DictConfig:
    """Return a configuration in which all settings that name files are absolute paths.

    Raises:
        ConfigError: it names a plugin that there is not.
    """
    composed, config = composed.copy(), plain(composed)
    for place, kind, settings in plugins_of(config):
        for key, path in registry.file_settings(kind, settings).items():
            _section(composed, place)[key] = literal(str(path))
    resume = config["train"].get("resume")
    if resume not in (None, "auto"):
        composed.train.resume = literal(str(absolute(resume)))
    for name, settings in config["networks"].items():
        source = settings.get("from") if isinstance(settings, dict) else None
        if isinstance(source, str) and not hub.is_on_hub(source):
            _section(composed, f"networks.{name}")["from"] = literal(str(absolute(source)))
    return composed


def _section(composed: DictConfig, place: str) -> DictConfig:
    """Return a section, that which is referred to where it is a reference, as `sources.b=${data}` is."""
    found = OmegaConf.select(composed, place)
    assert isinstance(found, DictConfig)
    return found
