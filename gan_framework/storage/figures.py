"""Figures: matplotlib without a display."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 100

LETTERS = 13
"""The size of letters in a picture of text, in pixels."""

LONGEST = 120
"""The longest line in a picture of text, in characters; what is beyond is cut off."""


def panels(*sizes: float, height: float = 3.2) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels side by side.

    Args:
        sizes: the panels' widths in inches.
        height: the figure's height in inches.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(sum(sizes), height), dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.subplots(1, len(sizes), width_ratios=sizes, squeeze=False)
    return figure, list(axes[0])


def rendered(figure: Figure) -> Tensor:
    """Return a figure as a picture (3, H, W), uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.array(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return torch.from_numpy(pixels[..., :3]).permute(2, 0, 1).contiguous()


def scatter(points: Tensor, reach: tuple[float, float]) -> Tensor:
    """Return a picture (3, H, W), uint8, of points (N, 2) in a square.

    Args:
        points: on the CPU; those that are not finite are left out.
        reach: the least and the greatest value on both axes.
    """
    figure, (axes,) = panels(3.2)
    x, y = points.unbind(1)
    axes.scatter(x, y, s=4, linewidths=0)
    margin = 0.05 * (reach[1] - reach[0])
    limits = (reach[0] - margin, reach[1] + margin)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    return rendered(figure)


def lines(sequences: Tensor, columns: int) -> Tensor:
    """Return a picture (3, H, W), uint8, of sequences (N, C, L) in [0, 1], a box for each with a line for each channel.

    Args:
        sequences: on the CPU.
        columns: boxes side by side.
    """
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.figure import Figure

    count, channels, length = sequences.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    width, height, gap = 1.6, 0.8, 0.08
    number = torch.arange(count)
    left = (number % columns) * (width + gap)
    bottom = -torch.div(number, columns, rounding_mode="floor") * (height + gap) - height
    corners = torch.tensor([[0, 0], [width, 0], [width, height], [0, height]])
    boxes = corners + torch.stack([left, bottom], 1)[:, None]
    x = left[:, None] + width * torch.linspace(0.02, 0.98, length)
    y = bottom[:, None, None] + height * (0.04 + 0.92 * sequences)
    total = (columns * (width + gap) + gap, rows * (height + gap) + gap)

    figure = Figure(figsize=total, dpi=DOTS_PER_INCH)
    axes = figure.add_axes((0, 0, 1, 1), frameon=False, xticks=[], yticks=[])
    axes.set(xlim=(-gap, total[0] - gap), ylim=(gap - total[1], gap))
    axes.add_collection(PolyCollection(list(boxes.numpy()), facecolors="none", edgecolors="silver", linewidths=0.8))
    for channel in range(channels):
        drawn = torch.stack([x, y[:, channel]], 2).numpy()
        axes.add_collection(LineCollection(list(drawn), colors=f"C{channel}", linewidths=1))
    return rendered(figure)


def text(lines: Sequence[str]) -> Tensor:
    """Return a picture (1, H, W), uint8, of lines of text, black on white in letters of one width."""
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf", LETTERS)
    shown = [line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in lines]
    width = max((font.getlength(line) for line in shown), default=0.0)
    height = LETTERS + 4
    image = Image.new("L", (int(width) + 2 * LETTERS, height * len(shown) + LETTERS), 255)
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(shown):
        pen.text((LETTERS, LETTERS // 2 + row * height), line, font=font, fill=0)
    drawn: Tensor = torch.from_numpy(np.array(image))[None]
    return drawn


def clouds(points: Tensor, reach: tuple[float, float], side: int = 96) -> Tensor:
    """Return pictures (N, 1, side, side), uint8, of clouds of points (N, P, 3), seen from the side and a little above.

    The third coordinate points upwards; nearer points are darker.

    Args:
        points: on the CPU; those that are not finite are left out.
        reach: the least and the greatest coordinate.
        side: of a picture in pixels.
    """
    turn, tilt = 0.6, 0.4
    middle, half = (reach[0] + reach[1]) / 2, max((reach[1] - reach[0]) / 2, 1e-12)
    x, y, z = ((points - middle) / half).unbind(2)
    right, away = np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y
    up, depth = np.cos(tilt) * z + np.sin(tilt) * away, np.cos(tilt) * away - np.sin(tilt) * z
    row, column = ((0.5 - 0.33 * up) * side, (0.5 + 0.33 * right) * side)
    seen = row.isfinite() & column.isfinite() & (row >= 0) & (row < side - 1) & (column >= 0) & (column < side - 1)
    shade = (110 + 60 * depth.clamp(-1, 1)).to(torch.uint8)
    pictures = torch.full((len(points), side * side), 255, dtype=torch.uint8)
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
        place = ((row.nan_to_num().long() + dy) * side + column.nan_to_num().long() + dx).clamp(0, side * side - 1)
        shades = torch.where(seen, shade, torch.full_like(shade, 255))
        pictures.scatter_reduce_(1, torch.where(seen, place, torch.zeros_like(place)), shades, "amin")
    images: torch.Tensor = pictures.unflatten(1, (1, side, side))
    return images
