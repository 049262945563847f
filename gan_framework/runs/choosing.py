"""Experiments that are chosen by the data: `experiment=auto` looks at what it is given before a run is composed."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, open_dict

from gan_framework.config.compose import compose, plain
from gan_framework.config.paths import anchored
from gan_framework.core import distributed
from gan_framework.core.records import DataShape
from gan_framework.data import Sources
from gan_framework.errors import ConfigError
from gan_framework.registry.kinds import KINDS, kind_of_network
from gan_framework.registry.packages import chooser, groups, written
from gan_framework.runs.device import choose_device

log = logging.getLogger(__name__)

OPTION = "_chosen"
"""The option of `experiment` that holds what was chosen."""

OF_MODEL = ("game", "generator", "discriminator", "prior")
"""Groups that a typed model chooses from."""


@dataclass(frozen=True)
class Facts:
    """What a chooser knows of a run before it is composed.

    Attributes:
        shape: of the samples; its `size` is 0 before they have been loaded. None where they have several sizes, and
            the data say so only when they are told which one to bring them to.
        device: the kind of device, `cpu`, `cuda` or `mps`.
        processes: how many train together.
        batch_size: what was typed for `train.batch_size`; None if nothing was.
    """

    shape: DataShape | None
    device: str
    processes: int = 1
    batch_size: int | None = None


@dataclass(frozen=True)
class Choice:
    """Settings that are chosen for one reason.

    Attributes:
        settings: by their names as on the command line: options of groups, `generator`, and values,
            `networks.generator.width`. None for what is only to be said.
        why: the reason, in words.
    """

    settings: Mapping[str, Any]
    why: str


class Chooser(ABC):
    """What completes an experiment by the data; what the user types takes the place of what it chooses.

    Both functions follow from what they are given and from nothing else, so that the same data lead to the same run.
    """

    def of_data(self, facts: Facts) -> Sequence[Choice]:
        """Return choices among the settings under `data`, before the samples are loaded.

        Raises:
            ConfigError: nothing fits such data.
        """
        return ()

    @abstractmethod
    def of_run(self, facts: Facts) -> Sequence[Choice]:
        """Return all other choices.

        Raises:
            ConfigError: nothing fits such data.
        """


class Completed(NamedTuple):
    """A run's configuration with what its experiment has chosen.

    Attributes:
        composed: the configuration.
        overrides: what it is composed of.
        sources: the data that were looked at; None if none had to be.
    """

    composed: DictConfig
    overrides: list[str]
    sources: Sources | None


def chooser_of(overrides: Sequence[str]) -> tuple[str, Chooser] | None:
    """Return the experiment that was typed and what completes it; None for one that is complete."""
    name = next((one.partition("=")[2] for one in overrides if one.partition("=")[0] == "experiment"), "")
    point = chooser(name)
    if point is None:
        return None
    found = point.load()()
    assert isinstance(found, Chooser), f"{point.value} is no Chooser"
    return name, found


def completed(composed: DictConfig, overrides: Sequence[str], job: int = 0) -> Completed:
    """Return the configuration of a run with what its experiment chooses by the data; others as they are.

    What was chosen is logged with the reasons.

    Args:
        composed: what Hydra has composed.
        overrides: what was typed.
        job: the job's number in a sweep.

    Raises:
        ConfigError: nothing fits the data, or they cannot be loaded.
    """
    found = chooser_of(overrides)
    if found is None:
        return Completed(composed, [*overrides], None)
    name, of = found
    typed = {_key(one): one.partition("=")[2] for one in overrides}
    config = plain(anchored(composed))
    batch_size = config["train"]["batch_size"] if "train.batch_size" in typed else None
    device = choose_device(config["train"]["device"], job).type
    facts = Facts(_shape_at_first(config), device, distributed.world(), batch_size)

    taken: dict[str, Any] = {}
    for choice in of.of_data(facts):
        taken |= _take(name, choice, typed)
    data = config["data"] | {key.removeprefix("data."): value for key, value in taken.items()}
    sources = Sources(data, config["sources"])
    for choice in of.of_run(replace(facts, shape=sources.shape)):
        taken |= _take(name, choice, typed)

    _offer(name, taken)
    replaced = [f"experiment={OPTION}" if _key(one) == "experiment" else one for one in overrides]
    again = compose(replaced)
    if "sweep" not in composed:
        with open_dict(again):
            del again["sweep"]
    return Completed(again, replaced, sources)


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]


def _shape_at_first(config: Mapping[str, Any]) -> DataShape | None:
    """Return the shape of the samples before they are loaded; None if a size has to be said first."""
    try:
        return Sources(config["data"], {}).first.shape
    except ConfigError:
        if config["data"].get("image_size", "") is not None:
            raise
        return None  # what else is wrong is found when there is a size


def _take(name: str, choice: Choice, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return what of a choice nothing that was typed stands in the way of, and log it with the reason."""
    own = {key: value for key, value in choice.settings.items() if not _is_typed(key, typed)}
    if own or not choice.settings:
        shown = "".join(f"{key}={written(value)} " for key, value in own.items())
        log.info("experiment=%s: %s(%s)", name, shown, choice.why)
    if left := [key for key in choice.settings if key not in own]:
        log.info("experiment=%s leaves %s to what was typed", name, ", ".join(left))
    return own


def _is_typed(key: str, typed: Mapping[str, str]) -> bool:
    """Whether a setting was typed, or an option in the place of the one that it belongs to."""
    if key in typed:
        return True
    place, _, rest = key.partition(".")
    inner = rest.partition(".")[0]
    group = kind_of_network(inner).group if place == "networks" else key
    for kind in KINDS.values():
        # Of data the choice is among what was typed: it is made for them.
        if rest and kind.place == place and place not in ("networks", "data"):
            if kind.listed and kind.group in typed:
                return inner not in typed[kind.group].strip("[]").replace(" ", "").split(",")
            group = kind.group
    return group in typed or ("model" in typed and group in OF_MODEL)


def _offer(name: str, taken: Mapping[str, Any]) -> None:
    """Make what was chosen an option of `experiment`: the experiment's file, with other options and settings."""
    known = groups()
    defaults: list[Any] = [name]
    settings: dict[str, Any] = {}
    for key, value in taken.items():
        if key in known:
            defaults.append({f"override /{key}": value})
            continue
        section = settings
        *places, last = key.split(".")
        for place in places:
            section = section.setdefault(place, {})
        section[last] = value
    node = {"defaults": [*defaults, "_self_"], **settings}
    ConfigStore.instance().store(group="experiment", name=OPTION, node=node, package="_global_")
