"""Where a run's numbers go: `metrics.jsonl` always, and the trackers that the configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gan_framework.registry import registry
from gan_framework.runs.background import Background
from gan_framework.runs.metrics_file import MetricsFile
from gan_framework.runs.signals import StopRequest
from gan_framework.runs.tracker import RunInfo, Tracker
from gan_framework.storage.secrets import mask

SPEED = "train/images_per_second"


class Trackers:
    """All trackers of a run: `metrics.jsonl` and the optional ones."""

    def __init__(self, optional: Mapping[str, Tracker]) -> None:
        self._metrics = MetricsFile()
        self._optional = [Background(name, tracker) for name, tracker in optional.items()]
        self._paced: tuple[float, float] | None = None  # images seen and seconds of training at the last record

    def start(self, run: RunInfo) -> None:
        """Begin or resume a run.

        Raises:
            RunFailed: `metrics.jsonl` cannot be written.
        """
        self._metrics.start(run.folder, run.resumed)
        self._paced = None if run.resumed else (0, 0.0)
        for tracker in self._optional:
            tracker.start(run)

    def truncate_after(self, step: int) -> None:
        """Drop what `metrics.jsonl` holds of later steps than the checkpoint that the run resumes from.

        Raises:
            RunFailed: `metrics.jsonl` cannot be written.
        """
        self._metrics.truncate_after(step)

    def log(self, record: Mapping[str, Any], training_seconds: float | None = None) -> None:
        """Log one record: step, images_seen, updates, seconds, metrics.

        Args:
            record: the line of `metrics.jsonl`.
            training_seconds: seconds spent in steps so far; from them the optional trackers get the speed since the
                last record. It is no metric of the run, since it differs from machine to machine.

        Raises:
            RunFailed: `metrics.jsonl` cannot be written.
        """
        self._metrics.log(record)
        speed = self._speed(record["images_seen"], training_seconds) if training_seconds is not None else {}
        shown = {**record, "metrics": {**record["metrics"], **speed}} if speed else record
        for tracker in self._optional:
            tracker.call("log", shown)

    def _speed(self, images_seen: float, seconds: float) -> dict[str, float]:
        before, self._paced = self._paced, (images_seen, seconds)
        if before is None or seconds <= before[1]:  # resumed, or gone back to a checkpoint
            return {}
        return {SPEED: (images_seen - before[0]) / (seconds - before[1])}

    def image(self, name: str, path: Path, record: Mapping[str, Any]) -> None:
        """Show an image file; the record says when it was made (step, images_seen, seconds)."""
        for tracker in self._optional:
            tracker.call("image", name, path, record)

    def warn(self, trouble: str, record: Mapping[str, Any]) -> None:
        """Tell of a trouble that has begun, `name: what it means`; the record says when."""
        for tracker in self._optional:
            tracker.call("warn", trouble, record)

    def finish(self, summary: Mapping[str, Any], stop: StopRequest | None = None) -> None:
        """End the run with what `summary.json` holds; waits for each tracker until its deadline, less once stopped."""
        self._metrics.close()
        summary = mask(summary)
        for tracker in self._optional:
            tracker.finish(summary, stop or StopRequest())


def build_trackers(settings: Mapping[str, Mapping[str, Any]]) -> Trackers:
    """Build the trackers of a configuration: a plugin's `name` and settings under any key.

    Raises:
        ConfigError: a tracker or a setting that does not exist, or a package that is missing.
    """
    return Trackers({key: registry.build("trackers", config) for key, config in settings.items()})
