"""What a run's folder says of the run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from gan_framework.errors import ConfigError

Curve = list[tuple[int, float]]
"""Pairs of images seen and value, in order."""

IGNORED = ("seed", "tracker", "sweep", "train.resume", "train.device", "train.threads")
"""Settings that do not make two runs different experiments."""


@dataclass(frozen=True)
class Record:
    """One run, read from its folder.

    Attributes:
        folder: the run's folder.
        summary: what `summary.json` holds.
        settings: the resolved configuration, flat, without the seed and what does not matter.
    """

    folder: Path
    summary: dict[str, Any]
    settings: dict[str, str]

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return bool(self.summary.get("status") == "finished")

    @property
    def why(self) -> str:
        """What became of a run that did not finish."""
        return f"{self.summary.get('status', 'no summary')}: {self.summary.get('error') or 'no reason given'}"

    @cached_property
    def curves(self) -> dict[str, Curve]:
        """Every figure of `metrics.jsonl` by name."""
        curves: dict[str, Curve] = {}
        for line in self._lines():
            for name, value in line["metrics"].items():
                if value is not None:
                    curves.setdefault(name, []).append((line["images_seen"], value))
        return curves

    @property
    def grids(self) -> list[Path]:
        """The grids of samples, in the order they were drawn."""
        return sorted((self.folder / "samples").glob("step_*.png"))

    def _lines(self) -> Iterator[dict[str, Any]]:
        path = self.folder / "metrics.jsonl"
        if not path.exists():
            return
        with path.open("rb") as file:
            for line in file:
                # A last line without its end was cut off by a kill.
                if line.endswith(b"\n"):
                    yield json.loads(line)


def read(folders: list[Path]) -> list[Record]:
    """Read every run in folders and below them.

    Raises:
        ConfigError: a folder does not exist, holds no run, or holds a damaged one.
    """
    records = []
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"there is no folder {folder}")
        # Hydra keeps a config.yaml of its own in `.hydra`.
        found = sorted(path.parent for path in folder.rglob("config.yaml") if path.parent.name != ".hydra")
        if not found:
            raise ConfigError(f"{folder} holds no run: neither it nor a folder below it has a config.yaml")
        records += [_read_one(run) for run in found]
    return records


def _read_one(folder: Path) -> Record:
    try:
        config = yaml.load((folder / "config.yaml").read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        path = folder / "summary.json"
        summary = json.loads(path.read_text()) if path.exists() else {}
    except (yaml.YAMLError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the run {folder} is damaged: {error}") from error
    flat = dict(flatten(config))
    kept = {key: value for key, value in flat.items() if not any(_within(key, ignored) for ignored in IGNORED)}
    return Record(folder, summary, kept)


def flatten(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every setting of a configuration as its path and its value, written as JSON."""
    for key, value in config.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{path}.")
        else:
            yield path, value if isinstance(value, str) else json.dumps(value)


def _within(key: str, group: str) -> bool:
    return key == group or key.startswith(f"{group}.")
