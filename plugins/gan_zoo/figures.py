"""Figures: matplotlib without a display."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

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


def rendered(figure: Figure) -> Tensor:
    """Return a figure as a picture (3, H, W), uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.array(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return torch.from_numpy(pixels[..., :3]).permute(2, 0, 1).contiguous()
