"""Settings of plugins that are not chosen: an experiment's whose choice is replaced, or typed too early."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from omegaconf import DictConfig, OmegaConf, open_dict

from gan_framework.errors import ConfigError
from gan_framework.registry.kinds import KINDS, Kind
from gan_framework.registry.packages import replaced_choice

log = logging.getLogger(__name__)


def without_unchosen(composed: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """Return a configuration without the settings of plugins that were not chosen, and say what was replaced.

    Args:
        composed: the configuration.
        overrides: what the user typed.

    Raises:
        ConfigError: the user typed a setting of a plugin that was not chosen.
    """
    composed = composed.copy()
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


def _is_plugin(settings: object) -> bool:
    return not isinstance(settings, Mapping) or "name" in settings


def _typed(kind: Kind, overrides: Sequence[str]) -> str:
    return next((one for one in overrides if one.startswith(f"{kind.group}=")), "")


def _choice_of_experiment(kind: Kind, overrides: Sequence[str]) -> set[str]:
    """Return the plugins that a typed experiment chooses and a typed choice of the same group replaces."""
    experiment = next((one.partition("=")[2] for one in overrides if one.startswith("experiment=")), "")
    return (
        set(replaced_choice("experiment", experiment, kind.group)) if experiment and _typed(kind, overrides) else set()
    )
