"""Settings of plugins that are not chosen: an experiment's whose choice is replaced, or typed too early."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import fields

from omegaconf import DictConfig, OmegaConf, open_dict

from gan_framework.config.compose import compose
from gan_framework.config.schema import SECTIONS, Config
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS, Kind, kind_of_group
from gan_framework.registry.options import Option, find
from gan_framework.registry.packages import config_folder, groups

log = logging.getLogger(__name__)


def without_unchosen(composed: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """Return a configuration without the settings of plugins that were not chosen, and say what was replaced.

    Args:
        composed: the configuration.
        overrides: what the user typed.

    Raises:
        ConfigError: the user typed a setting of a plugin that was not chosen, added one that there is not, or chose
            several options of a group that has one.
    """
    for override in overrides:
        _refuse_several(override)
        _refuse_added(override)
    composed = composed.copy()
    _drop_settings_of_other_data(composed, overrides)
    for kind in [kind for kind in KINDS.values() if kind.listed]:
        section = composed.get(kind.place)
        chosen = OmegaConf.to_container(section, resolve=False) if isinstance(section, DictConfig) else {}
        assert isinstance(chosen, dict)
        names = {str(name) for name, settings in chosen.items() if not _is_plugin(settings)}
        for name in sorted(names):
            typed = [one for one in overrides if one.lstrip("+").startswith(f"{kind.place}.{name}.")]
            if typed:
                raise ConfigError(f"{typed[0]}: {name} is not chosen; choose it first with '{kind.group}=[{name}]'")
            with open_dict(section):
                del section[name]
        replaced = names | (_choice_of_experiment(kind, overrides) - {str(name) for name in chosen})
        if replaced:
            log.warning(
                "%s replaces what the experiment chooses: %s; '+%s=[...]' adds to it",
                *(_typed(kind, overrides) or f"the choice of {kind.group}", ", ".join(sorted(replaced)), kind.group),
            )
    return composed


def _refuse_several(override: str) -> None:
    """Raise ConfigError for `loss=[hinge,wasserstein]`, of which Hydra would mix the settings."""
    key, _, value = override.lstrip("+").partition("=")
    if not (value.startswith("[") and "," in value):
        return
    group = key.partition("@")[0]
    kind = kind_of_group(group)
    if group in groups() and not (kind is not None and kind.listed):
        raise ConfigError(f"{override}: one option of {group} is chosen; -m {key}={value.strip('[]')} tries each")


def _refuse_added(override: str) -> None:
    """Raise ConfigError for `+train.foo=3`, which nothing would read."""
    if not override.startswith("+"):
        return
    key = override.lstrip("+").partition("=")[0]
    section, _, setting = key.partition(".")
    known = {name: {one.name for one in fields(kind)} for name, kind in SECTIONS.items()}
    ours = {one.name for one in fields(Config)} | {"hydra"}
    wrong = setting.partition(".")[0] not in known[section] if section in known else section not in ours
    if wrong and key.partition("@")[0] not in groups():
        compose([override.lstrip("+")])  # says what may be meant
        raise ConfigError(f"{override}: there is no such setting")


def _drop_settings_of_other_data(composed: DictConfig, overrides: Sequence[str]) -> None:
    """Leave out what an experiment sets of its own data where others are typed that have no such setting."""
    experiment = find("experiment", _value("experiment", overrides))
    option = find("data", _value("data", overrides))
    if experiment is None or option is None or option.name in experiment.chosen("data"):
        return
    accepted = registry.settings(registry.find("datasets", composed.data.name).load())
    known = {"name", *accepted, *KINDS["datasets"].reserved, *_set_by(option)}
    for name in _set_by(experiment, "data") - known:
        typed = any(one.lstrip("+").startswith((f"data.{name}=", f"data.{name}.")) for one in overrides)
        if name in composed.data and not typed:
            with open_dict(composed.data):
                del composed.data[name]


def _set_by(option: Option | None, section: str | None = None) -> set[str]:
    """Return the names of what an option and those that it begins with set, of all or of one section."""
    names: set[str] = set()
    while option is not None:
        content = option.content if section is None else option.content.get(section)
        names |= {str(name) for name in content or ()}
        option = option.base()
    return names


def _is_plugin(settings: object) -> bool:
    return not isinstance(settings, Mapping) or "name" in settings


def _typed(kind: Kind, overrides: Sequence[str]) -> str:
    return next((one for one in overrides if one.startswith(f"{kind.group}=")), "")


def _choice_of_experiment(kind: Kind, overrides: Sequence[str]) -> set[str]:
    """Return the plugins that a typed experiment chooses and a typed choice of the same group replaces."""
    experiment = find("experiment", _value("experiment", overrides))
    return set(experiment.chosen(kind.group)) if experiment is not None and _typed(kind, overrides) else set()


def _value(group: str, overrides: Sequence[str]) -> str:
    return next((one.partition("=")[2] for one in overrides if one.startswith(f"{group}=")), "")


def say_what_comes_with_the_loss(composed: DictConfig, overrides: Sequence[str]) -> None:
    """Log which terms and strategies a typed loss brings, and which it drops that the loss in its place had brought.

    Args:
        composed: the configuration.
        overrides: what the user typed.
    """
    typed = find("loss", _value("loss", overrides))
    if typed is None:
        return
    owner, before = _loss_before(overrides)
    for kind in [kind for kind in KINDS.values() if kind.listed]:
        present = {str(name) for name in composed.get(kind.place) or {}}
        now, earlier = set(typed.chosen(kind.group)), set(before.chosen(kind.group)) if before is not None else set()
        if brought := sorted((now - earlier) & present):
            log.info("loss=%s brings %s %s", typed.name, kind.group, ", ".join(brought))
        if dropped := sorted(earlier - now - present):
            log.info("loss=%s drops %s %s, which %s brings", typed.name, kind.group, ", ".join(dropped), owner)


def _loss_before(overrides: Sequence[str]) -> tuple[str, Option | None]:
    """Return the loss that there would be if none had been typed, and what chooses it."""
    for group in ("experiment", "model"):
        option = find(group, _value(group, overrides))
        while option is not None:
            if chosen := option.chosen("loss"):
                return f"{group}={option.name}", find("loss", chosen[-1])
            option = option.base()
    standard = OmegaConf.load(config_folder() / "config.yaml").defaults
    name = next((str(entry["loss"]) for entry in standard if isinstance(entry, DictConfig) and "loss" in entry), "")
    return f"loss={name}", find("loss", name)
