"""Sequences as text: tokens as lines, series as a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from torch import Tensor

from gan_framework.storage.text import harmless


def lines_of(tokens: Tensor, symbols: Sequence[str] = ()) -> list[str]:
    """Return each sequence of tokens as a line.

    Characters stand next to each other, longer symbols (words) apart; a line ends before the first symbol that is
    written as nothing (padding). Without the names of symbols their numbers are written. What steers a terminal is
    escaped.

    Args:
        tokens: (N, T), on the CPU.
        symbols: what each symbol is written as.
    """
    between = "" if symbols and all(len(name) <= 1 for name in symbols) else " "
    names = [harmless(name) for name in symbols]
    known = len(names)
    written = ((names[i] if i < known else str(i) for i in row) for row in tokens.tolist())
    return [between.join(takewhile(bool, row)) for row in written]


def table(series: Tensor) -> str:
    """Return series (N, C, L) as comma-separated values: a row for each sample and step, a column for each channel."""
    count, channels, length = series.shape
    rows = [",".join(["sample", "step", *(f"channel_{number}" for number in range(channels))])]
    for sample, values in enumerate(series.movedim(1, 2).tolist()):
        rows += [
            ",".join([str(sample), str(step), *(f"{value:.7g}" for value in values[step])]) for step in range(length)
        ]
    return "\n".join(rows) + "\n"
