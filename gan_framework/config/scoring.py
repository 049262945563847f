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
        if override.is_add() or override.is_force_add() or override.is_delete() or override.is_sweep_override():
            raise ConfigError(f"{override.input_line}: {what} takes plain overrides only, like key=value")
        if not any(override.key_or_group == root or override.key_or_group.startswith(f"{root}.") for root in roots):
            raise ConfigError(f"{override.key_or_group} cannot be overridden for {what}, only {', '.join(roots)}")
        reason = OF_TRAINING.get(override.key_or_group)
        if reason is not None:
            raise ConfigError(f"{override.input_line} has no effect on an evaluation: it {reason}; leave it out")
    return parsed


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
    except (OmegaConfBaseException, AttributeError) as error:
        raise ConfigError(explain(error)) from error
    return config
