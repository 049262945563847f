"""The suites by kind, as a function and as a base class for pytest."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from gan_framework.errors import ConfigError, GanFrameworkError
from gan_framework.registry import registry
from gan_framework.testing import data, datasets, games, networks, objective, run, samplers
from gan_framework.testing.every_kind import EVERY_KIND
from gan_framework.testing.guards import ContractBroken
from gan_framework.testing.subject import Subject

Check = Callable[[Subject], None]

CHECKS: dict[str, dict[str, Check]] = {
    kind: {check.__name__: check for check in (*EVERY_KIND, *own)}
    for kind, own in {
        "generators": networks.GENERATORS,
        "discriminators": networks.DISCRIMINATORS,
        "networks": networks.NETWORKS,
        "losses": objective.LOSSES,
        "terms": objective.TERMS,
        "schedules": games.SCHEDULES,
        "strategies": games.STRATEGIES,
        "games": games.GAMES,
        "priors": games.PRIORS,
        "datasets": datasets.DATASETS,
        "extractors": data.EXTRACTORS,
        "metrics": data.METRICS,
        "samplers": samplers.SAMPLERS,
        "optimizers": run.OPTIMIZERS,
        "trackers": run.TRACKERS,
    }.items()
}
"""What is asked of each kind, by the names of the checks."""


def check_plugin(
    kind: str,
    name: str,
    overrides: Sequence[str] = (),
    exempt: Mapping[str, str] | None = None,
    **settings: Any,
) -> None:
    """Run the contract suite of a kind over an installed plugin.

    Args:
        kind: the plugin's kind (`losses`).
        name: its name.
        overrides: the configuration it is tried in, as on the command line; without any, a small game of fully
            connected networks on the digits, or the first experiment of its distribution that builds it.
        exempt: checks that the plugin breaks on purpose, each with the reason, beside those that it says itself in
            its class attribute `exempt`.
        settings: settings of the plugin that differ from its YAML.

    Raises:
        ContractBroken: the plugin breaks its contract; the message says in which places, and what to fix.
        ValueError: there is no such kind, or no such check to be exempt from.
    """
    __tracebackhide__ = True
    subject = Subject(kind, name, settings, tuple(overrides))
    broken: dict[str, list[str]] = {}  # checks by what they say, which of a game that cannot be played all say alike
    for title, check in _wanted(kind, name, exempt or {}).items():
        try:
            check(subject)
        except Exception as error:
            broken.setdefault(_reason(error), []).append(title)
            if title == "builds":  # nothing else can be tried
                break
    if broken:
        lines = [f"- {', '.join(titles)}: {reason}" for reason, titles in broken.items()]
        raise ContractBroken(f"{name} ({kind}) breaks its contract:\n" + "\n".join(lines))


def exemptions(kind: str, name: str) -> dict[str, str]:
    """Return the checks that a plugin says itself that it breaks on purpose, each with the reason.

    Raises:
        ContractBroken: it names a check that there is not.
    """
    try:
        declared = dict(getattr(registry.find(kind, name).load(), "exempt", {}))
    except ConfigError:  # the suite says why it cannot be loaded
        return {}
    unknown = declared.keys() - CHECKS[kind].keys()
    if unknown:
        raise ContractBroken(
            f"{name} ({kind}): its `exempt` names {', '.join(sorted(unknown))}, and the checks of {kind} are "
            f"{', '.join(CHECKS[kind])}"
        )
    return declared


def _wanted(kind: str, name: str, exempt: Mapping[str, str]) -> dict[str, Check]:
    if kind not in CHECKS:
        raise ValueError(f"there is no plugin kind {kind!r}; the kinds are {', '.join(CHECKS)}")
    unknown = exempt.keys() - CHECKS[kind].keys()
    if unknown:
        raise ValueError(f"{kind} have no check {', '.join(sorted(unknown))}; theirs are {', '.join(CHECKS[kind])}")
    left_out = {**exemptions(kind, name), **exempt}
    return {title: check for title, check in CHECKS[kind].items() if title not in left_out}


def _reason(error: Exception) -> str:
    if isinstance(error, (ContractBroken, GanFrameworkError)):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"raises {type(error).__name__}: {error} ({frame.filename}, line {frame.lineno})"


class PluginContract:
    """A test class that runs a contract suite, one test for each check; see `check_plugin` for its attributes."""

    kind: ClassVar[str]
    name: ClassVar[str]
    overrides: ClassVar[Sequence[str]] = ()
    exempt: ClassVar[Mapping[str, str]] = {}
    settings: ClassVar[Mapping[str, Any]] = {}

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Let pytest make one test of each check."""
        if "contract_check" in metafunc.fixturenames and hasattr(self, "kind"):
            metafunc.parametrize("contract_check", list(_wanted(self.kind, self.name, self.exempt)))

    def test_contract(self, contract_check: str) -> None:
        """The plugin does what its kind asks for."""
        subject = Subject(self.kind, self.name, self.settings, tuple(self.overrides))
        CHECKS[self.kind][contract_check](subject)
