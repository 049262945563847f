"""The shape of a run's folder: where everything in it lies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

OWN = {"config.yaml", "summary.json"}
"""A run's folder holds one of these ..."""
BESIDE = {*OWN, "metrics.jsonl", "run.log", "checkpoints", ".lock"}
"""... and two of these; other folders have a config.yaml for their own ends."""

INSIDE = {"checkpoints", "samples", "wandb"}
"""Folders of a run that hold no runs, and no images but grids."""


class RunFolder:
    """The folder of a run.

    Attributes:
        path: where it lies.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / "config.yaml"

    @property
    def metrics(self) -> Path:
        """The metrics, one JSON object per line."""
        return self.path / "metrics.jsonl"

    @property
    def summary(self) -> Path:
        """What became of the run."""
        return self.path / "summary.json"

    @property
    def run_id(self) -> Path:
        """The name of the run for trackers."""
        return self.path / ".run_id"

    @property
    def evaluation(self) -> Path:
        """The scores of the last `gan-framework evaluate`."""
        return self.path / "evaluation.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def last(self) -> Path:
        """The newest checkpoint."""
        return self.checkpoints / "last.pt"

    @property
    def best(self) -> Path:
        """The checkpoint with the best score."""
        return self.checkpoints / "best.pt"

    @property
    def samples(self) -> Path:
        """The folder of sample grids."""
        return self.path / "samples"

    def checkpoint(self, step: int) -> Path:
        """Return where the checkpoint of a step lies."""
        return self.checkpoints / f"step_{step:07d}.pt"

    def picture(self, name: str, step: int) -> Path:
        """Return where a picture of a step lies."""
        return self.samples / f"{name}_{step:07d}.png"


def run_folder(path: Path) -> Path:
    """Return the folder of what is given: a folder itself, or the run's that a checkpoint is from."""
    if path.is_dir():
        return path
    return path.parent.parent if path.parent.name == "checkpoints" else path.parent


def is_run(names: Iterable[str]) -> bool:
    """Return whether the names of what is in a folder are those in a run's."""
    found = {*names}
    return bool(OWN & found) and len(BESIDE & found) > 1
