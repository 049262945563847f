"""Pictures of samples of any shape, and how they are written."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_framework.storage import figures, files, sequences
from gan_framework.storage.images import save_png

SINGLE = re.compile(r"(\d{6,15})\.png", re.ASCII)
"""The names of images that are written one by one."""

COLOURS = (1, 3)
"""The numbers of channels that a picture can have."""

EDGE = 128
"""The grey between samples."""

GAP = 2
"""Pixels between samples, and around them where there are several."""

CELL = 4
"""Pixels to a side for one value where values are drawn as squares."""

LINES = 8
"""Sequences of more channels are drawn as planes, because so many lines in one box cannot be told apart."""

STRIP = 16
"""How many frames of a video stand side by side; of longer ones some are chosen, evenly spaced."""

FRAME_MILLISECONDS = 100

Range = tuple[float, float]


@dataclass(frozen=True)
class Picture:
    """What samples look like.

    Attributes:
        image: (1 or 3, H, W), uint8.
        frames: the same samples moving, (T, 1 or 3, H, W), uint8; None if they do not move.
        text: the samples as text, a line for each; None if they are no text.
        numbers: the samples as numbers (N, C, L) where they are drawn as lines; None for all else.
    """

    image: Tensor
    frames: Tensor | None = None
    text: str | None = None
    numbers: Tensor | None = None


def draw(
    samples: Tensor,
    columns: int,
    value_range: Range | None = None,
    vocabulary: int = 0,
    symbols: Sequence[str] = (),
) -> Picture:
    """Draw samples as their shape suggests.

    Images (N, 1 or 3, H, W) become a grid, and those of other channels a row of grey planes each. A video
    (N, T, 1 or 3, H, W) becomes a row of frames, and moves; a volume (N, C, D, H, W) a row of its projections along
    the three axes, of the greatest values, and of its three middle slices. Sequences (N, C, L) become lines, or a grey
    plane each if there are many channels, tokens (N, T, V) a line of text each. Points (N, 2) are scattered in the
    plane, clouds of more than 8 points (N, P, 3) seen from the side, the nearer the darker. Whatever else becomes a row
    of grey squares each.

    Args:
        samples: what is drawn.
        columns: samples side by side, where not each of them is a row.
        value_range: the values that are black and white; where there are none, or they are infinite, the largest
            absolute value, negative and positive.
        vocabulary: the number V of symbols where samples are tokens, else 0.
        symbols: what each symbol is written as; its number, if there are none.
    """
    if vocabulary and samples.ndim == 3:
        return written([samples.argmax(2)], symbols)
    value_range = _range(samples, value_range)
    if samples.ndim == 2 and samples.shape[1] == 2:
        return Picture(figures.scatter(samples.detach().float().cpu(), value_range))
    if samples.ndim == 3 and samples.shape[1] <= LINES:
        drawn = figures.lines(_levels(samples, value_range) / 255, columns)
        return Picture(drawn, numbers=samples.detach().float().cpu())
    if samples.ndim == 3 and samples.shape[2] == 3:
        return Picture(tiled(figures.clouds(samples.detach().float().cpu(), value_range), columns))
    shades = to_shades(samples, value_range)
    if samples.ndim == 3:
        return Picture(tiled(shades[:, None], columns))
    if samples.ndim == 4:
        return Picture(tiled(shades, columns) if shades.shape[1] in COLOURS else _planes(shades))
    if samples.ndim == 5:
        return _video(shades, columns) if _is_video(shades) else Picture(_volumes(shades))
    return Picture(_squares(shades.reshape(len(shades), -1)))


def written(columns: Sequence[Tensor], symbols: Sequence[str] = ()) -> Picture:
    """Return a picture of tokens as text, with arrows between what stands in a line, and tabs in the text itself.

    Args:
        columns: tokens (N, T) that belong together line by line: what was made of what, and what it should be.
        symbols: what each symbol is written as; its number, if there are none.
    """
    lines = [*zip(*(sequences.lines_of(tokens.detach().cpu(), symbols) for tokens in columns), strict=True)]
    drawn = figures.text([" → ".join(line) for line in lines])
    return Picture(drawn, text="".join("\t".join(line) + "\n" for line in lines))


def grid(images: Tensor, columns: int, value_range: Range = (-1.0, 1.0)) -> Tensor:
    """Return images (N, 1 or 3, H, W) of a value range side by side, row by row, as one (3, H', W'), uint8."""
    return tiled(to_shades(images, value_range), columns)


def to_shades(samples: Tensor, value_range: Range | None) -> Tensor:
    """Return samples of any shape as the nearest of 256 shades, uint8 on the CPU; what is no number is grey.

    Args:
        samples: what is drawn.
        value_range: the values that are black and white; where there are none, or they are infinite, the largest
            absolute value, negative and positive.
    """
    return _levels(samples, _range(samples, value_range)).round().to(torch.uint8)


def tiled(shades: Tensor, columns: int) -> Tensor:
    """Return images (N, 1 or 3, H, W), uint8, side by side, row by row, as one (3, H', W'); a single one as it is."""
    coloured = shades.expand(-1, 3, -1, -1)
    if len(coloured) == 1:
        return coloured[0].contiguous()
    height, width = (size + GAP for size in shades.shape[2:])
    columns = min(columns, len(coloured))
    sheet = shades.new_full((3, math.ceil(len(coloured) / columns) * height + GAP, columns * width + GAP), EDGE)
    for number, image in enumerate(coloured):
        row, column = divmod(number, columns)
        sheet[:, row * height + GAP : (row + 1) * height, column * width + GAP : (column + 1) * width] = image
    return sheet


def write(path: Path, picture: Picture, numbers: bool = False) -> Path:
    """Write a picture as a PNG, what moves as a GIF and what is text as a file beside it, and return the PNG's path.

    Args:
        path: of the PNG.
        picture: what is written.
        numbers: whether the numbers of what is drawn as lines are written too, as a table beside it.
    """
    if numbers and picture.numbers is not None:
        files.write_text(path.with_suffix(".csv"), sequences.table(picture.numbers))
    if picture.text is not None:
        files.write_text(path.with_suffix(".txt"), picture.text)
    if picture.frames is not None:
        _write_gif(path.with_suffix(".gif"), picture.frames)
    save_png(path, picture.image)
    return path


def singles_after(folder: Path, count: int) -> list[Path]:
    """Return the files of a folder that are named as `write_singles` names images after the first `count`."""
    found = {path: SINGLE.fullmatch(path.name) for path in folder.glob("*.png")}
    return sorted(path for path, name in found.items() if name and int(name[1]) >= count)


def write_singles(folder: Path, images: Tensor, first: int, value_range: Range = (-1.0, 1.0)) -> None:
    """Write images (N, 1 or 3, H, W) of a value range as PNGs of their own, `000000.png` and so on."""
    for number, image in enumerate(to_shades(images, value_range), first):
        save_png(folder / f"{number:06d}.png", image)


def _range(samples: Tensor, value_range: Range | None) -> Range:
    if value_range is not None and all(map(math.isfinite, value_range)):
        return value_range
    largest = float(samples.detach().float().nan_to_num(0, 0, 0).abs().max().clamp(min=1e-12))
    return -largest, largest


def _levels(samples: Tensor, value_range: Range) -> Tensor:
    """Return samples with 0 for black and 255 for white, float32 on the CPU."""
    middle, reach = (value_range[0] + value_range[1]) / 2, (value_range[1] - value_range[0]) / 2
    levels = ((samples.detach().float().cpu() - middle) / reach + 1) * 127.5
    return levels.nan_to_num(nan=127.5).clamp(0, 255)


def _squares(shades: Tensor) -> Tensor:
    """Return shades (N, D) as squares (1, H, W), a row for each of the N."""
    return shades.repeat_interleave(CELL, 0).repeat_interleave(CELL, 1)[None]


def _planes(shades: Tensor) -> Tensor:
    """Return samples (N, C, H, W) as one picture, each a row of its C grey planes."""
    return tiled(shades.flatten(0, 1)[:, None], shades.shape[1])


def _is_video(shades: Tensor) -> bool:
    return shades.shape[2] in COLOURS and shades.shape[1] not in COLOURS


def _video(shades: Tensor, columns: int) -> Picture:
    count = shades.shape[1]
    shown = torch.linspace(0, count - 1, min(count, STRIP)).round().long()
    frames = torch.stack([tiled(frame, columns) for frame in shades.unbind(1)])
    return Picture(tiled(shades[:, shown].flatten(0, 1), len(shown)), frames)


def _volumes(shades: Tensor) -> Tensor:
    """Return volumes (N, C, D, H, W) as one picture, a row for each."""
    axes = (2, 3, 4)
    views = [shades.amax(axis) for axis in axes]
    views += [shades.select(axis, shades.shape[axis] // 2) for axis in axes]
    height, width = (max(view.shape[side] for view in views) for side in (-2, -1))
    row = torch.stack([_centred(view, height, width) for view in views], 1)
    if shades.shape[1] in COLOURS:
        return tiled(row.flatten(0, 1), len(views))
    return _planes(row.flatten(1, 2))


def _centred(images: Tensor, height: int, width: int) -> Tensor:
    down, across = height - images.shape[-2], width - images.shape[-1]
    return F.pad(images, (across // 2, across - across // 2, down // 2, down - down // 2), value=EDGE)


def _write_gif(path: Path, frames: Tensor) -> None:
    from PIL import Image

    pages = [Image.fromarray(frame.permute(1, 2, 0).squeeze(2).contiguous().numpy()) for frame in frames]
    with files.atomic(path) as file:
        pages[0].save(file, format="GIF", save_all=True, append_images=pages[1:], duration=FRAME_MILLISECONDS, loop=0)
