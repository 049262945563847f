"""What a comparison needs to know of a run, wherever it was read from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from gan_framework.compare.figures import Curve, Figure
from gan_framework.runs.columns import LISTS, chosen

IGNORED = ("seed", "tracker", "sweep", "train.resume", "train.device", "train.threads")
"""Settings that do not make two runs different experiments."""


class Grid(NamedTuple):
    """A grid of samples.

    Attributes:
        step: when it was drawn.
        read: reads the PNG file; raises ConfigError or OSError if there is none to be had.
    """

    step: int
    read: Callable[[], bytes]


class Damaged(NamedTuple):
    """A run that cannot be read: where it lies, and which file and which field of it are not as they should be."""

    place: str
    why: str


@dataclass(frozen=True)
class Record:
    """One run.

    Attributes:
        place: where it was read from.
        summary: what `summary.json` holds, checked by `schema.check_summary`.
        config: the resolved configuration, checked by `schema.check_config`.
        run_id: its id in W&B; None if it was not tracked at all.
        figures: every figure of `metrics.jsonl` by name.
        grids: the grids of samples, in the order they were drawn.
        passed_over: what in its place was not read, and why, one text each.
        shadowed: groups of settings that W&B has in the column `resolved`, as a sweep of its server has their own.
    """

    place: str
    summary: dict[str, Any]
    config: Mapping[str, Any]
    run_id: str | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    grids: list[Grid] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    shadowed: frozenset[str] = frozenset()

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return bool(self.summary.get("status") == "finished")

    @property
    def why(self) -> str:
        """What became of a run that did not finish."""
        return f"{self.summary.get('status') or 'no summary'}: {self.summary.get('error') or 'no reason given'}"

    @property
    def updates(self) -> dict[str, float]:
        """How often each player was updated."""
        return self.summary.get("updates") or {}

    @property
    def wandb(self) -> dict[str, Any] | None:
        """The settings of its W&B tracker, or None if it has none."""
        trackers = self.config.get("tracker", {}).values()
        return next((dict(tracker) for tracker in trackers if tracker.get("name") == "wandb"), None)

    @cached_property
    def settings(self) -> dict[str, str]:
        """The settings by path, without the seed and what else does not make two runs different experiments."""
        flat = dict(flatten(self.config))
        # A list of plugins is one setting; what each of them is set to are others.
        flat |= {group: chosen(self.config[group]) for group in LISTS if group in self.config}
        return {key: value for key, value in flat.items() if not any(_within(key, ignored) for ignored in IGNORED)}

    @property
    def curves(self) -> dict[str, Curve]:
        """The curve of every figure, as far as it is held."""
        return {name: figure.curve for name, figure in self.figures.items()}


def flatten(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every setting of a configuration as its path and its value, written as JSON."""
    for key, value in config.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{path}.")
        else:
            yield path, value if isinstance(value, str) else json.dumps(_unified(value))


def _unified(value: Any) -> Any:
    """Return a value in which 1.0 is 1, as it is to W&B."""
    if isinstance(value, list):
        return [_unified(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _within(key: str, group: str) -> bool:
    return key == group or key.startswith(f"{group}.")
