"""TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gan_framework.api import ConfigError, RunInfo, Tracker


class TensorBoard(Tracker):
    """Writes scalars and sample grids as TensorBoard events into the run folder's `tensorboard/`."""

    def __init__(self) -> None:
        """Look for the package.

        Raises:
            ConfigError: TensorBoard is not installed.
        """
        if find_spec("tensorboard") is None:
            raise ConfigError(
                "tracker=tensorboard needs the package tensorboard: pip install 'gan-framework[tensorboard]'"
            )
        self._writer: Any = None

    def start(self, run: RunInfo) -> None:
        """Keep the folder; the events begin with the first record."""
        self._folder = run.folder / "tensorboard"
        self._resumed = run.resumed
        self.kept = f"what was logged so far is in {self._folder}"

    def log(self, record: Mapping[str, Any]) -> None:
        """Write the metrics of one step."""
        writer = self._open(record["step"])
        for name, value in record["metrics"].items():
            writer.add_scalar(name, value, record["step"])
        writer.flush()

    def image(self, name: str, path: Path, record: Mapping[str, Any]) -> None:
        """Write an image."""
        import numpy as np
        from PIL import Image

        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        self._open(record["step"]).add_image(name, pixels, record["step"], dataformats="HWC")

    def warn(self, trouble: str, record: Mapping[str, Any]) -> None:
        """Write a trouble that has begun as text."""
        self._open(record["step"]).add_text("warnings", trouble, record["step"])

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the summary as text and close the events."""
        writer = self._open(summary["step"])
        lines = [f"| {key} | {value} |" for key, value in summary.items()]
        writer.add_text("summary", "\n".join(["| | |", "| --- | --- |", *lines]), summary["step"])
        writer.close()

    def _open(self, step: int) -> Any:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            # A resumed run may repeat steps that were logged after its checkpoint.
            self._writer = SummaryWriter(str(self._folder), purge_step=step if self._resumed else None)
        return self._writer
