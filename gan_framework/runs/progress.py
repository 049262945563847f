"""How far a run is: a bar in a terminal, elsewhere a line of the log now and then."""

from __future__ import annotations

import io
import logging
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import IO, Any, cast

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from gan_framework.storage.numbers import score
from gan_framework.storage.text import visible

log = logging.getLogger(__name__)

SHORT = {"discriminator": "D", "generator": "G"}

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


class _Above:
    """A stream for log lines, which then stand above the bar and do not break it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        self._console.print(Text(text), end="", soft_wrap=True)
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


class _Bar(Bar):
    """A bar, and below it as many lines as the metrics need: nothing is cut off where the terminal is narrow."""

    metrics = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.metrics:
            yield Text(self.metrics)


class Progress:
    """Shows how far a run is, while it is entered."""

    def __init__(self, steps: int) -> None:
        stream = sys.stderr or io.StringIO()  # there is none where it was closed before the start
        console = Console(file=cast(IO[str], _Terminal(stream)))
        self._bar = _Bar(
            MofNCompleteColumn(),
            BarColumn(bar_width=16),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
            disable=not stream.isatty(),
        )
        self._task = self._bar.add_task("", total=steps)
        self._steps = steps
        self._said: tuple[float, int] | None = None
        self._streams: list[tuple[logging.StreamHandler[Any], Any]] = []

    def __enter__(self) -> Progress:
        self._bar.__enter__()
        if not self._bar.disable:
            handlers = [one for one in logging.getLogger().handlers if isinstance(one, logging.StreamHandler)]
            self._streams = [(one, one.stream) for one in handlers if _is_terminal(one.stream)]
            for handler, _ in self._streams:
                handler.setStream(_Above(self._bar.console))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handler, stream in self._streams:
            handler.setStream(stream)
        self._streams = []
        self._bar.__exit__(kind, error, trace)

    def show(self, step: int, metrics: dict[str, float], images_per_second: float) -> None:
        """Show the step, each player's adversarial loss, the scores and the speed."""
        shown = shown_metrics(metrics)
        if self._bar.disable:
            self._say(step, shown)
        self._bar.metrics = visible("  ".join(shown))
        self._bar.update(self._task, completed=step, description=f"{images_per_second:.0f} images/s")

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
            "step %s of %s (%.0f%%), %s steps/s, %s left: %s",
            *(f"{step:,}", f"{self._steps:,}", 100 * step / self._steps, score(speed)),
            *(duration((self._steps - step) / speed), ", ".join(shown) or "no loss"),
        )


def shown_metrics(metrics: Mapping[str, float]) -> list[str]:
    """Return each player's adversarial loss and the scores, as there is little room for them: `loss_D 0.693`."""
    return [f"{called} {score(value)}" for name, value in metrics.items() if (called := _called(name)) is not None]


def _is_terminal(stream: Any) -> bool:
    """Return whether what a handler writes to is a terminal; one that is closed has no answer to that."""
    return stream is not None and not getattr(stream, "closed", False) and stream.isatty()


def _called(name: str) -> str | None:
    """Return what a metric is called where there is little room; None for one that is not shown."""
    part, _, rest = name.partition("/")
    if part == "eval":
        return rest
    player, _, term = rest.partition("/")
    return f"loss_{SHORT.get(player, player)}" if term == "adversarial" else None


def duration(seconds: float) -> str:
    """Return a length of time in words: `48 s`, `12 min`, `3.4 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
