"""What a notebook shows while a run trains: how far it is, its losses and scores, its newest samples."""

from __future__ import annotations

import base64
import html
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gan_framework.runs.progress import duration, shown_metrics
from gan_framework.storage.foreign import Damaged, read_png
from gan_framework.storage.layout import RunFolder

EVERY = 1.0
"""Seconds from one change of what is shown to the next."""


def in_notebook() -> bool:
    """Whether Python runs in a notebook, which can show pictures."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


class Inline:
    """Shows a run in the output of a notebook's cell; called with each line of metrics.

    Args:
        folder: the run's folder.
        steps: how many there are.
    """

    def __init__(self, folder: Path, steps: int) -> None:
        from IPython.display import display

        self._folder = RunFolder(folder)
        self._steps = steps
        self._last = 0.0
        self._record: Mapping[str, Any] | None = None
        self._handle: Any = display(self, display_id=True)  # type: ignore[no-untyped-call]

    def __call__(self, record: Mapping[str, Any]) -> None:
        """Take up a line of metrics."""
        self._record = record
        if time.monotonic() - self._last >= EVERY:
            self.update()

    def update(self) -> None:
        """Show the newest line and the newest samples."""
        self._last = time.monotonic()
        if self._handle is not None:
            self._handle.update(self)

    def _repr_html_(self) -> str:
        if self._record is None:
            return f"<progress max='{self._steps}' value='0'></progress> {html.escape(str(self._folder.path))}"
        step = self._record["step"]
        said = [f"step {step:,} of {self._steps:,}", duration(self._record["seconds"])]
        said += shown_metrics(self._record["metrics"])
        picture = newest_samples(self._folder)
        return f"<progress max='{self._steps}' value='{step}'></progress> {html.escape(', '.join(said))}" + (
            f"<br>{embedded(picture)}" if picture is not None else ""
        )


def newest_samples(folder: RunFolder) -> Path | None:
    """Return the newest grid of samples of a run: a PNG file that lies there; None before the first."""
    for path in sorted(folder.samples.glob("step_*.png"), reverse=True):
        with suppress(Damaged, OSError):  # a link, in a folder from somebody else, could lead to anything
            read_png(path, folder.path)
            return path
    return None


def embedded(picture: Path) -> str:
    """Return a PNG file as an element of a page; nothing where it is none."""
    try:
        content = read_png(picture, picture.parent)
    except (Damaged, OSError):
        return ""
    return f"<img src='data:image/png;base64,{base64.b64encode(content).decode()}'>"
