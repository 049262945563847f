"""What a comparison needs to know of a run, wherever it was read from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from gan_framework.runs.columns import LISTS, chosen

Curve = list[tuple[int, float]]
"""Pairs of images seen and value, in order."""

IGNORED = ("seed", "tracker", "sweep", "train.resume", "train.device", "train.threads")
"""Settings that do not make two runs different experiments."""


class Grid(NamedTuple):
    """A grid of samples: the step at which it was drawn, and how to read the PNG file."""

    step: int
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Record:
    """One run.

    Attributes:
        place: where it was read from.
        summary: what `summary.json` holds.
        config: the resolved configuration.
        run_id: its id in W&B; None if it was not tracked at all.
        lines: reads the lines of `metrics.jsonl`; of each, `images_seen` and `metrics` are needed.
        find_grids: finds the grids of samples, in the order they were drawn.
    """

    place: str
    summary: dict[str, Any]
    config: Mapping[str, Any]
    run_id: str | None
    lines: Callable[[], Iterable[Mapping[str, Any]]]
    find_grids: Callable[[], list[Grid]]

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return bool(self.summary.get("status") == "finished")

    @property
    def why(self) -> str:
        """What became of a run that did not finish."""
        return f"{self.summary.get('status', 'no summary')}: {self.summary.get('error') or 'no reason given'}"

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

    @cached_property
    def curves(self) -> dict[str, Curve]:
        """Every figure by name."""
        return curves(self.lines())

    @property
    def grids(self) -> list[Grid]:
        """The grids of samples, in the order they were drawn."""
        return self.find_grids()


def curves(lines: Iterable[Mapping[str, Any]]) -> dict[str, Curve]:
    """Return every figure of the lines of `metrics.jsonl` by name."""
    found: dict[str, Curve] = {}
    for line in lines:
        for name, value in line["metrics"].items():
            if value is not None:
                found.setdefault(name, []).append((line["images_seen"], value))
    return found


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
