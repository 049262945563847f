"""The suites by kind, as a function and as a base class for pytest."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from gan_framework.errors import GanFrameworkError
from gan_framework.testing import data, datasets, games, networks, objective, run
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
        overrides: the configuration it is tried in, as on the command line; without any, a small game
            of fully connected networks on the digits.
        exempt: checks that the plugin breaks on purpose, each with the reason.
        settings: settings of the plugin that differ from its YAML.

    Raises:
        ContractBroken: the plugin breaks its contract; the message says in which places, and what to fix.
        ValueError: there is no such kind, or no such check to be exempt from.
    """
    __tracebackhide__ = True
    subject = Subject(kind, name, settings, tuple(overrides))
    broken = []
    for title, check in _wanted(kind, exempt or {}).items():
        try:
            check(subject)
        except Exception as error:
            broken.append(f"{title}: {_reason(error)}")
            if title == "builds":  # nothing else can be tried
                break
    if broken:
        raise ContractBroken(f"{name} ({kind}) breaks its contract:\n" + "\n".join(f"- {line}" for line in broken))


def _wanted(kind: str, exempt: Mapping[str, str]) -> dict[str, Check]:
    if kind not in CHECKS:
        raise ValueError(f"there is no plugin kind {kind!r}; the kinds are {', '.join(CHECKS)}")
    unknown = exempt.keys() - CHECKS[kind].keys()
    if unknown:
        raise ValueError(f"{kind} have no check {', '.join(sorted(unknown))}; theirs are {', '.join(CHECKS[kind])}")
    return {title: check for title, check in CHECKS[kind].items() if title not in exempt}


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
            metafunc.parametrize("contract_check", list(_wanted(self.kind, self.exempt)))

    def test_contract(self, contract_check: str) -> None:
        """The plugin does what its kind asks for."""
        subject = Subject(self.kind, self.name, self.settings, tuple(self.overrides))
        CHECKS[self.kind][contract_check](subject)
