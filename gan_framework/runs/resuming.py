"""What a resumed run has other than the run whose checkpoint it goes on from: said always, refused where it matters."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from omegaconf import DictConfig, OmegaConf

from gan_framework.config.compose import plain
from gan_framework.config.plugins import plugins_of
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.storage.plain import literal
from gan_framework.storage.secrets import mask
from gan_framework.storage.text import few

log = logging.getLogger(__name__)

EXPERIMENT = ("game", "networks", "prior", "loss", "terms", "schedule", "strategy")
"""Sections that say what is trained."""

OF_DATA = ("name", "image_size", "channels", "flip", "transform", "drop_near_duplicates", "classes")
"""Settings of data that say what is trained on; of the others, the content of the data tells."""

OF_NO_MATTER = ("tracker", "train.resume", "train.resume_changed", "train.device", "train.threads")
"""Settings that are never worth a word."""

MOST = 8
"""So many settings are named in a refusal."""

SCALARS = ("train", "evaluate", "sample")
"""Sections without plugins, in which later versions may have more settings."""


class Change(NamedTuple):
    """A setting that a resumed run has otherwise; None stands for a plugin or a setting that is not there."""

    key: str
    before: Any
    now: Any

    def __str__(self) -> str:
        before, now = ("none" if value is None else value for value in self[1:])
        return f"{self.key}: {before} → {now}"


def check(state: Mapping[str, Any], composed: DictConfig, data: Mapping[str, Mapping[str, Any]], where: str) -> None:
    """Say what a run has otherwise than the checkpoint that it goes on from.

    Args:
        state: the checkpoint's.
        composed: the run's configuration.
        data: the `identity` of its training data, by the name of the source.
        where: names the checkpoint in messages.

    Raises:
        ConfigError: the loss, the networks, the data or the batch size are others, and `train.resume_changed` is false.
    """
    if changes := refuse(state, composed, data, where):
        log.warning("resumed with other settings: %s", "; ".join(changes))


def refuse(
    state: Mapping[str, Any], composed: DictConfig, data: Mapping[str, Mapping[str, Any]], where: str
) -> list[str]:
    """Return what `check` says, without saying it; its arguments and errors."""
    changes = [*differences(state["config"], mask(plain(composed)))]
    written = _flat(cast(dict[str, Any], OmegaConf.to_container(composed, resolve=False)))
    follows = {key for key, value in written.items() if "train.steps" in str(value)}  # the end of an annealing
    grave = [str(change) for change in changes if change.key not in follows and _is_another_experiment(change.key)]
    grave += other_data(state.get("data", {}), data)
    light = [str(change) for change in changes if str(change) not in grave]
    if grave and not composed.train.resume_changed:
        raise ConfigError(
            f"{where} was trained with other settings: {'; '.join(few(grave + light, MOST))}. A different loss, "
            "networks, data or batch size make it a different experiment: use a new folder (hydra.run.dir), or resume "
            "anyway with train.resume_changed=true"
        )
    return grave + light


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the settings in which two configurations differ; a plugin that only one of them has counts as one."""
    old, new = _flat(_with_newer_settings(before, now)), _flat(now)
    for key in [*new, *(key for key in old if key not in new)]:
        section, _, setting = key.rpartition(".")
        if any(key == free or key.startswith(f"{free}.") for free in OF_NO_MATTER) or old.get(key) == new.get(key):
            continue
        one_sided = (f"{section}.name" in old) != (f"{section}.name" in new)
        if setting != "name" and (one_sided or (section in SCALARS and key not in old)):
            continue
        if setting in ("classes", "image_size") and (old.get(key) is None or new.get(key) is None):
            continue  # data whose classes have no names, or a checkpoint of a version that did not look at the data
        yield Change(key, old.get(key), new.get(key))


def other_data(before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return in words which training data are not what they were; nothing is known of those of older versions.

    Args:
        before: the `identity` of training data by the name of their source, as a checkpoint has it.
        now: that of the data at hand.
    """
    found = []
    for name in before.keys() & now.keys():
        old, new = before[name], now[name]
        if old["content"] != new["content"]:
            what = f"sources.{name}" if name else "data"
            counts = f"{old['samples']:,} training samples then, {new['samples']:,} now"
            hashes = f"content {old['content'][:8]} then, {new['content'][:8]} now"
            found.append(f"{what}: {counts} ({hashes})")
    return sorted(found)


def _is_another_experiment(key: str) -> bool:
    section, _, rest = key.partition(".")
    setting = rest.rpartition(".")[2]
    return section in EXPERIMENT or key == "train.batch_size" or (section in ("data", "sources") and setting in OF_DATA)


def _with_newer_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with the defaults of settings that its plugins had not yet when it was written."""
    completed = OmegaConf.create(literal(before))
    present = {where: settings for where, _, settings in plugins_of(before)}
    for where, kind, settings in plugins_of(now):
        old = present.get(where)
        if old is not None and old["name"] == settings["name"]:
            plugin = registry.find(kind, settings["name"])
            for key, default in registry.newer_settings(plugin, settings.keys() - old.keys()).items():
                OmegaConf.update(completed, f"{where}.{key}", default, force_add=True)
    return plain(completed)


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        elif value != {}:
            flat[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return flat
