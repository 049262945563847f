"""Figures: matplotlib without a display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gan_framework.storage import files

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def panels(*sizes: float, height: float = 3.2) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels side by side.

    Args:
        sizes: the panels' widths in inches.
        height: the figure's height in inches.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(sum(sizes), height), layout="constrained")
    axes = figure.subplots(1, len(sizes), width_ratios=sizes, squeeze=False)
    return figure, list(axes[0])


def save(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG."""
    with files.atomic(path) as file:
        figure.savefig(file, format="png", dpi=100)
