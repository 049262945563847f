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


class Trackers:
    """All trackers of a run: `metrics.jsonl` and the optional ones."""

    def __init__(self, optional: Mapping[str, Tracker]) -> None:
        self._metrics = MetricsFile()
        self._optional = [Background(name, tracker) for name, tracker in optional.items()]

    def start(self, run: RunInfo) -> None:
        """Begin or resume a run.

        Raises:
            RunFailed: `metrics.jsonl` cannot be written.
        """
        self._metrics.start(run.folder, run.resumed)
        for tracker in self._optional:
            tracker.start(run)

    def truncate_after(self, step: int) -> None:
        """Drop what `metrics.jsonl` holds of later steps than the checkpoint that the run resumes from.

        Raises:
            RunFailed: `metrics.jsonl` cannot be written.
        """
        self._metrics.truncate_after(step)

    def log(self, record: Mapping[str, Any]) -> None:
        """Log one record: step, images_seen, updates, seconds, metrics.

        Raises:
            RunFailed: `metrics.jsonl` cannot be written.
        """
        self._metrics.log(record)
        for tracker in self._optional:
            tracker.call("log", record)

    def image(self, name: str, path: Path, record: Mapping[str, Any]) -> None:
        """Show an image file; the record says when it was made (step, images_seen, seconds)."""
        for tracker in self._optional:
            tracker.call("image", name, path, record)

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
