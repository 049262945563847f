"""The progress bar: losses, scores and images per second; silent where there is no terminal."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Progress:
    """Shows how far a run is, while it is entered."""

    def __init__(self, steps: int) -> None:
        console = Console(stderr=True)
        self._bar = Bar(
            MofNCompleteColumn(),
            BarColumn(bar_width=24),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=console,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("", total=steps)

    def __enter__(self) -> Progress:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)

    def show(self, step: int, metrics: dict[str, float], images_per_second: float) -> None:
        """Show the step, each player's adversarial loss, the scores and the speed."""
        shown = [
            f"{name.split('/')[1]} {value:.3f}"
            for name, value in metrics.items()
            if name.startswith("eval/") or name.endswith("/adversarial")
        ]
        self._bar.update(
            self._task, completed=step, description=f"{images_per_second:.0f} images/s  {'  '.join(shown)}"
        )
