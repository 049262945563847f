"""What a comparison needs of a run's files, checked when they are read, so that nothing else need ask again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gan_framework.compare.figures import is_number
from gan_framework.runs.columns import LISTS
from gan_framework.storage.foreign import Damaged
from gan_framework.storage.plain import shown
from gan_framework.storage.text import brief

PLAYERS = 64
"""The most players of a run."""

Check = Callable[[Any], bool]


def check_config(config: Mapping[str, Any], name: str) -> None:
    """Check a configuration: whole numbers as seeds, plugins by their names, trackers with their settings.

    Raises:
        Damaged: a setting is of another kind; it names the setting.
    """
    _require(config, "seed", lambda value: value is None or type(value) is int, "a whole number", name)
    for group in (*LISTS, "tracker"):
        _require(config, group, lambda value: isinstance(value, Mapping), "a mapping of plugins by name", name)
        for plugin, settings in config.get(group, {}).items():
            if not isinstance(plugin, str) or not isinstance(settings, Mapping):
                raise Damaged(
                    f"{name}: {brief(f'{group}.{plugin}', 80)} is {shown(settings)} and not a plugin's settings"
                )
    for tracker in config.get("tracker", {}).values():
        if tracker.get("name") == "wandb":
            for setting in ("entity", "project"):
                _require(tracker, setting, _optional_text, "text", f"{name}: tracker")


def check_summary(summary: Mapping[str, Any], name: str) -> None:
    """Check a summary; one of a run that did not finish may lack anything.

    Raises:
        Damaged: a field is missing or of another kind; it names the field.
    """
    for field in ("status", "error"):
        _require(summary, field, _optional_text, "text", name)
    for field in ("images_seen", "seconds"):
        _require(summary, field, lambda value: value is None or is_number(value), "a finite number", name)
    for field, kind, what in FIELDS:
        _require(summary, field, lambda value: value is None or isinstance(value, Mapping), "a mapping", name)
        for key, value in (summary.get(field) or {}).items():
            if not kind(value):
                raise Damaged(f"{name}: {brief(f'{field}.{key}', 80)} is {shown(value)} and not {what}")
    if len(summary.get("updates") or {}) > PLAYERS:
        raise Damaged(f"{name}: updates has more than {PLAYERS} players")
    if summary.get("status") == "finished" and summary.get("best"):
        _check_scores(summary, name)


FIELDS: tuple[tuple[str, Check, str], ...] = (
    ("updates", lambda value: is_number(value), "a finite number"),
    ("metrics", lambda value: value is None or is_number(value), "a finite number"),
    ("higher_is_better", lambda value: isinstance(value, bool), "true or false"),
)
"""The mappings of a summary, and what their values are."""


def _check_scores(summary: Mapping[str, Any], name: str) -> None:
    """Check what ranks a run: its best score, in which direction, and how it was measured."""
    best = summary["best"]
    if not isinstance(best, Mapping):
        raise Damaged(f"{name}: best is {shown(best)} and not a mapping")
    for field in ("updates", "metrics"):
        if summary.get(field) is None:
            raise Damaged(f"{name}: {field} is missing, and the run is said to have finished with a score")
    metric, directions, protocol = best.get("metric"), summary.get("higher_is_better") or {}, summary.get("protocol")
    if not isinstance(metric, str) or metric not in directions:
        raise Damaged(f"{name}: best.metric is {shown(metric)} and none of the scores in higher_is_better")
    if not isinstance(protocol, Mapping):
        raise Damaged(f"{name}: protocol is {shown(protocol)}, and there is a score")
    settings = protocol.get("metrics", {})
    if not isinstance(settings, Mapping) or not all(isinstance(one, Mapping) for one in settings.values()):
        raise Damaged(f"{name}: protocol.metrics is no mapping of settings by score")
    if metric not in settings:
        raise Damaged(f"{name}: protocol.metrics lacks {brief(metric, 80)}, and there is such a score")


def _require(fields: Mapping[str, Any], field: str, check: Check, what: str, name: str) -> None:
    if field in fields and not check(fields[field]):
        raise Damaged(f"{name}: {field} is {shown(fields[field])} and not {what}")


def _optional_text(value: Any) -> bool:
    return value is None or isinstance(value, str)
