"""The configuration of a scoring: a saved run's, or the default one, with overrides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gan_framework.config.compose import compose, quoted
from gan_framework.config.explain import explain
from gan_framework.config.proposals import called_otherwise, settings_like
from gan_framework.config.schema import EvaluateConfig
from gan_framework.errors import ConfigError
from gan_framework.storage.plain import literal
from gan_framework.storage.secrets import refuse

GROUPS = ("data", "extractor", "metrics", "sampler")
"""Groups in which a scoring can choose another option than the run had."""

ROOTS = (*GROUPS, "evaluate", "train.device")
"""What a scoring's overrides may change."""

OF_TRAINING = {
    "evaluate.every": "says when a run is scored while it trains",
    "evaluate.best": "says by which score a run chooses its best checkpoint",
}
"""Settings of `evaluate` that a single scoring has no use for, and why."""


def parse(overrides: list[str], what: str = "an evaluation", roots: tuple[str, ...] = ROOTS) -> list[Override]:
    """Read overrides.

    Args:
        overrides: as on the command line.
        what: they are for, in messages.
        roots: what they may change.

    Raises:
        ConfigError: one cannot be read, or changes what it may not change.
    """
    refuse(overrides)
    try:
        parsed: list[Override] = OverridesParser.create().parse_overrides([*map(quoted, overrides)])
    except HydraException as error:
        raise ConfigError(explain(error)) from error
    for override in parsed:
        key, value = override.key_or_group, override.get_value_string()
        if override.is_add() or override.is_force_add() or override.is_delete() or override.is_sweep_override():
            several = f"; a list is written '{key}=[{value}]'" if override.is_choice_sweep() else ""
            raise ConfigError(f"{override.input_line}: {what} takes plain overrides only, like key=value{several}")
        if not any(key == root or key.startswith(f"{root}.") for root in roots):
            meant = _meant(key, value, roots)
            instead = f"; did you mean {' or '.join(meant)}?" if meant else f", only {', '.join(roots)}"
            raise ConfigError(f"{key} cannot be overridden for {what}{instead}")
        reason = OF_TRAINING.get(key)
        if reason is not None:
            raise ConfigError(f"{override.input_line} has no effect on an evaluation: it {reason}; leave it out")
    return parsed


def _meant(key: str, value: str, roots: tuple[str, ...]) -> list[str]:
    """Return the overrides within `roots` that may be meant by one outside of them."""
    found = called_otherwise(key, value) or [f"{setting}={value}" for setting in settings_like(key, compose([]))]
    return [one for one in found if one.startswith(tuple(f"{root}{end}" for root in roots for end in ".="))]


def rescored(saved: Mapping[str, Any], overrides: list[str]) -> DictConfig:
    """Return a run's configuration with overrides; a group that they choose anew is composed anew.

    Raises:
        ConfigError: an override is wrong.
    """
    parsed = parse(overrides)
    chosen = {override.key_or_group for override in parsed} & {*GROUPS}
    anew = [str(o.input_line) for o in parsed if o.key_or_group.partition(".")[0] in chosen]
    fresh = compose(anew)
    config = OmegaConf.create(
        {"sampler": {}, **literal(saved), **{group: OmegaConf.to_container(fresh[group]) for group in chosen}}
    )
    try:
        config.evaluate = OmegaConf.merge(OmegaConf.structured(EvaluateConfig), config.evaluate)
        config.evaluate.best = None  # names a score of the run's own extractor and metrics
        OmegaConf.set_struct(config, True)
        for override in parsed:
            if override.key_or_group.partition(".")[0] not in chosen:
                OmegaConf.update(config, override.key_or_group, override.value())
            told = any(o.key_or_group == "data.num_classes" for o in parsed)
            if override.key_or_group == "data.path" and not told and "num_classes" in config.data:
                config.data.num_classes = None  # was that of the run's own files, and other ones may have others
        _follow(config, saved, {o.key_or_group for o in parsed}, chosen)
    except (OmegaConfBaseException, AttributeError) as error:
        raise ConfigError(explain(error)) from error
    return config


def _follow(config: DictConfig, saved: Mapping[str, Any], typed: set[str], chosen: set[str]) -> None:
    """Let settings of metrics follow from others again, as they did in the run, where overrides change these.

    A run's configuration has their values: how the modes of its own data lie says nothing of other data. What does not
    follow from anything in the new configuration stays as it was.

    Args:
        config: the configuration with overrides, which is changed.
        saved: the run's.
        typed: what the overrides change.
        chosen: the groups that they choose anew, where all follows already.
    """
    metrics = {name: of for name, of in (saved.get("metrics") or {}).items() if of.get("name") == name}
    if not typed or "metrics" in chosen or not metrics:
        return
    fresh: Any = OmegaConf.to_container(compose([f"metrics=[{','.join(metrics)}]"]).metrics)
    before = OmegaConf.create({**literal(saved), "metrics": fresh})
    for name, settings in fresh.items():
        for setting, wanted in settings.items():
            key = f"metrics.{name}.{setting}"
            if not (isinstance(wanted, str) and "${" in wanted) or key in typed or setting not in metrics[name]:
                continue
            if _value(before, key) != metrics[name][setting]:
                continue  # the run's own
            OmegaConf.update(config, key, wanted)
            if _value(config, key) is None:
                OmegaConf.update(config, key, literal({key: metrics[name][setting]})[key])


def _value(config: DictConfig, key: str) -> Any:
    """Return what a setting comes to as plain values; None where it follows from what there is not."""
    try:
        found = OmegaConf.select(config, key)
        return OmegaConf.to_container(found, resolve=True) if OmegaConf.is_config(found) else found
    except OmegaConfBaseException:
        return None
