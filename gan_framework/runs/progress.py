"""How far a run is: a bar in a terminal, elsewhere a line of the log now and then."""

from __future__ import annotations

import io
import logging
import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import IO, Any, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from gan_framework.storage.text import visible

log = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds from one line of the log to the next."""


class _Terminal:
    """The terminal as it may be closed at any time, by a user or a broken connection: what is written then is lost."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Progress:
    """Shows how far a run is, while it is entered."""

    def __init__(self, steps: int) -> None:
        stream = sys.stderr or io.StringIO()  # there is none where it was closed before the start
        console = Console(file=cast(IO[str], _Terminal(stream)))
        self._bar = Bar(
            MofNCompleteColumn(),
            BarColumn(bar_width=24),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
            disable=not stream.isatty(),
        )
        self._task = self._bar.add_task("", total=steps)
        self._steps = steps
        self._said: tuple[float, int] | None = None

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
        if self._bar.disable:
            self._say(step, shown)
        self._bar.update(
            self._task, completed=step, description=f"{images_per_second:.0f} images/s  {visible('  '.join(shown))}"
        )

    def _say(self, step: int, shown: list[str]) -> None:
        """Log a line if the last one is a while ago."""
        now = time.monotonic()
        if self._said is None:
            self._said = now, step
        before, since = self._said
        if now - before < EVERY:
            return
        self._said = now, step
        speed = (step - since) / (now - before)
        log.info(
            "step %s of %s (%.0f%%), %.3g steps/s, %s left: %s",
            *(f"{step:,}", f"{self._steps:,}", 100 * step / self._steps, speed),
            *(duration((self._steps - step) / speed), ", ".join(shown) or "no loss"),
        )


def duration(seconds: float) -> str:
    """Return a length of time in words: `48 s`, `12 min`, `3.4 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
