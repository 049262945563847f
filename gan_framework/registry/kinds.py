"""The kinds of plugins: one row says all that is known of a kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from gan_framework.errors import ConfigError


@dataclass(frozen=True)
class Kind:
    """A kind of plugin.

    Attributes:
        name: the kind, as in the group of entry points `gan_framework.<name>`.
        singular: what one plugin of it is called.
        group: the configuration group in which its YAML files lie.
        place: the part of the configuration that holds its plugins.
        contract: the class its plugins derive from, `module:Class`; None for functions.
        several: whether a run has several, in a mapping by name; else its settings lie right under `place`.
        listed: whether options are chosen as a list, `group=[a,b]`.
        supplied: how many leading arguments the framework gives.
        reserved: settings in its YAML that the framework uses itself and gives to no plugin.
        says: attributes that every plugin of it must have once it is built, without a default in its class.
    """

    name: str
    singular: str
    group: str
    place: str
    contract: str | None
    several: bool = False
    listed: bool = False
    supplied: int = 0
    reserved: tuple[str, ...] = ()
    says: tuple[str, ...] = ()

    @property
    def entry_points(self) -> str:
        """The group of entry points that register its plugins."""
        return f"gan_framework.{self.name}"


OF_WEIGHTS = ("from", "from_network", "freeze", "unfreeze_at")
"""What every network can be told of its weights."""

_CORE = "gan_framework.core.contracts"
_EVALUATION = "gan_framework.evaluation"

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        *(
            Kind(name, name[:-1], name[:-1], "networks", contract, several=True, reserved=OF_WEIGHTS, says=says)
            for name, contract, says in (
                ("generators", f"{_CORE}.networks:Generator", ()),
                ("discriminators", f"{_CORE}.networks:Discriminator", ()),
                ("networks", "torch.nn:Module", ()),
            )
        ),
        Kind("losses", "loss", "loss", "loss", f"{_CORE}.loss:AdversarialLoss"),
        Kind(
            "terms",
            "term",
            "term",
            "terms",
            f"{_CORE}.term:Term",
            several=True,
            listed=True,
            reserved=("player", "pair", "weight", "every"),
        ),
        Kind("schedules", "schedule", "schedule", "schedule", f"{_CORE}.schedule:Schedule"),
        Kind("strategies", "strategy", "strategy", "strategy", f"{_CORE}.strategy:Strategy", several=True, listed=True),
        Kind("games", "game", "game", "game", "gan_framework.core.game:Game", supplied=1),
        Kind("priors", "prior", "prior", "prior", f"{_CORE}.prior:Prior", says=("dim",)),
        Kind(
            "datasets",
            "dataset",
            "data",
            "data",
            "gan_framework.data:DataSource",
            reserved=("flip", "transform", "workers", "drop_near_duplicates", "classes", "symbols", "sample_shape"),
            says=("shape",),
        ),
        Kind("extractors", "extractor", "extractor", "extractor", f"{_EVALUATION}.extractor:Extractor", says=("name",)),
        Kind(
            "metrics",
            "metric",
            "metrics",
            "metrics",
            f"{_EVALUATION}.metric:Metric",
            several=True,
            listed=True,
            says=("higher_is_better",),
        ),
        Kind("samplers", "sampler", "sampler", "sampler", f"{_EVALUATION}.sampler:Sampler", says=("name",)),
        Kind("optimizers", "optimizer", "optimizer", "optimizer", None, several=True, supplied=1, reserved=("clip",)),
        Kind(
            "trackers", "tracker", "tracker", "tracker", "gan_framework.runs.tracker:Tracker", several=True, listed=True
        ),
    )
}
"""Every kind by its name."""


def kind_named(name: str, beside: Sequence[str] = ("models", "experiments")) -> Kind:
    """Return the kind that a user names, `losses` or `loss`.

    Args:
        name: what was typed.
        beside: what could be named too, for the message.

    Raises:
        ConfigError: there is no such kind.
    """
    for kind in KINDS.values():
        if name in (kind.name, kind.singular):
            return kind
    known = [*beside, *KINDS]
    written = {word: word for word in known} | {kind.singular: kind.name for kind in KINDS.values()}
    if beside and (meant := get_close_matches(name, written, n=1)):
        raise ConfigError(f"there is no plugin kind {name!r}; closest: {written[meant[0]]}")
    raise ConfigError(f"there is no plugin kind {name!r}; the kinds are {', '.join(known)}")


def kind_of_group(group: str) -> Kind | None:
    """Return the kind whose YAML files lie in a configuration group; None for groups of other things."""
    return next((kind for kind in KINDS.values() if kind.group == group), None)


def kind_of_network(name: str) -> Kind:
    """Return the kind of plugin that makes the network of a name: `generator_ab` is one of the generators."""
    return next(
        (KINDS[kind] for kind in ("generators", "discriminators") if name.startswith(kind[:-1])), KINDS["networks"]
    )
