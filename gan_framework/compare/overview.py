"""What is to be seen of a run at a glance: how it stands, how far it is, its score, its settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from gan_framework.compare.conditions import settings_of
from gan_framework.compare.differing import differing
from gan_framework.compare.figures import is_number
from gan_framework.compare.folder import LINE_BYTES, METRICS_BYTES
from gan_framework.compare.schema import check_config, check_summary
from gan_framework.storage import foreign, plain
from gan_framework.storage.layout import INSIDE, RunFolder, is_run
from gan_framework.storage.lock import held

SCORE = "eval/"
"""What the names of scores begin with among the figures."""
TAIL = 2**18
"""Bytes at the end of metrics.jsonl in which the last step and the last scores are looked for."""

ENDS = ("finished", "failed", "stopped")
"""What a summary can say."""
ELSEWHERE = {"site-packages", "node_modules", "__pycache__"}
"""Folders that hold no runs but a great many others; hidden ones neither."""


class Score(NamedTuple):
    """A score: its name, the step that it was reached at, and its value."""

    metric: str
    step: int | None
    value: float


@dataclass(frozen=True)
class Overview:
    """A run at a glance.

    Attributes:
        place: its folder.
        status: `running`, `finished`, `failed`, `stopped`; `killed` if it ended without a word; `damaged` if its files
            cannot be read; `unknown` if nothing says what became of it.
        why: why it failed, was stopped or cannot be read.
        step: how far it is, in steps.
        steps: how many it is to be.
        best: its best score, or the last one where there is no word of a best.
        scores: its last scores by name.
        seen: when anything was last written, in seconds since 1970; None if that cannot be told.
        config: its configuration; empty where it has none, or a damaged one.
        summary: its summary, which may be of an earlier part of it.
    """

    place: Path
    status: str
    why: str | None = None
    step: int | None = None
    steps: int | None = None
    best: Score | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    seen: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)

    @property
    def overrides(self) -> list[str]:
        """What its command changed."""
        found = self.summary.get("overrides")
        return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []

    def settings(self) -> dict[str, str]:
        """Return every setting by its path, values written as JSON; a list of plugins is a setting too."""
        return settings_of(self.config)


def find(folder: Path, problems: list[str] | None = None) -> list[Path]:
    """Return the folders of runs among a folder and all below it, in the order of their names.

    Args:
        folder: where to look; symbolic links are not followed, hidden folders not looked into.
        problems: takes up, a line each, what could not be looked into.
    """
    found = [place.path for place in foreign.walk(folder, problems, _passes) if is_run(place.names)]
    return sorted(found)


def _passes(place: foreign.Folder, name: str) -> bool:
    return name.startswith(".") or name in ELSEWHERE or (name in INSIDE and is_run(place.names))


def look(folder: Path) -> Overview:
    """Look at a run's folder, whoever made it; what is damaged is said in what is returned."""
    place = RunFolder(folder)
    owned = os.path.lexists(folder / ".owner")
    status = ("running" if held(folder) else "killed") if owned else None
    try:
        config = _read(plain.read_yaml, place.config, folder)
        check_config(config, place.config.name)
        summary = _read(plain.read_json, place.summary, folder)
        check_summary(summary, place.summary.name)
        if status is not None or not summary:
            step, scores = _tail(place.metrics, folder)
        else:
            step, scores = summary.get("step"), _scores(summary.get("metrics"))
    except (foreign.Damaged, OSError) as error:
        return Overview(folder, status or "damaged", str(error), seen=_seen(place))
    train = config.get("train")
    said = summary.get("status") if summary.get("status") in ENDS else "unknown"
    return Overview(
        folder,
        status or str(said),
        None if status else summary.get("error"),
        step if type(step) is int else None,
        steps if isinstance(train, Mapping) and type(steps := train.get("steps")) is int else None,
        _best(summary, step, scores),
        scores,
        _seen(place),
        config,
        summary,
    )


def different(runs: list[Overview]) -> dict[str, str]:
    """Return the settings in which runs differ, those aside that follow from the choice of a plugin.

    Returns:
        For each setting by its path the shortest name that says which one it is: `loss` for `loss.name`,
        `generator.lr` for `optimizer.generator.lr` where `discriminator.lr` differs too.
    """
    settings = [run.settings() for run in runs if run.config]
    keys = differing(settings) if settings else []
    paths = {key: key.removesuffix(".name").split(".") for key in keys}
    names = {}
    for key, parts in paths.items():
        length = 1
        while length < len(parts) and any(
            other != key and theirs[-length:] == parts[-length:] for other, theirs in paths.items()
        ):
            length += 1
        names[key] = ".".join(parts[-length:])
    return names


def _read(reader: Any, path: Path, folder: Path) -> dict[str, Any]:
    """Return what a file holds; nothing if there is none."""
    try:
        found: dict[str, Any] = reader(path, folder)
    except FileNotFoundError:
        return {}
    return found


def _best(summary: Mapping[str, Any], step: Any, scores: Mapping[str, float]) -> Score | None:
    best = summary.get("best")
    if isinstance(best, Mapping) and isinstance(best.get("metric"), str) and is_number(best.get("value")):
        at = best.get("step")
        return Score(best["metric"], at if type(at) is int else None, best["value"])
    return next((Score(name, step if type(step) is int else None, value) for name, value in scores.items()), None)


def _scores(metrics: Any) -> dict[str, float]:
    figures = metrics if isinstance(metrics, Mapping) else {}
    return {
        name.removeprefix(SCORE): value
        for name, value in figures.items()
        if isinstance(name, str) and name.startswith(SCORE) and is_number(value)
    }


def _tail(path: Path, folder: Path) -> tuple[Any, dict[str, float]]:
    """Return the last step and the last scores in metrics.jsonl; what is no line as it should be is passed over."""
    try:
        with foreign.open_regular(path, folder, METRICS_BYTES) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            lines = file.read(TAIL).split(b"\n")[:-1]
    except FileNotFoundError:
        return None, {}
    step = None
    for line in reversed(lines):
        if step is not None and SCORE.encode() not in line:
            continue
        try:
            found = plain.parse_line(line[:LINE_BYTES], 0, path.name)
        except foreign.Damaged:
            continue
        step = found.get("step") if step is None else step
        if scores := _scores(found.get("metrics")):
            return step, scores
    return step, {}


def _seen(place: RunFolder) -> float | None:
    times = []
    for path in (place.metrics, place.summary, place.config, place.path / "run.log"):
        try:
            times.append(os.lstat(path).st_mtime)
        except OSError:
            continue
    return max(times, default=None)
