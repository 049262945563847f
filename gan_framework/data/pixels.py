"""What every source does to images: channels, a crop at the centre, and one antialiased resize."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 1024

Size = tuple[int, int]
"""Height and width in pixels."""

Shape = tuple[int, int, int]
"""Channels, height and width."""

CENTER = "center"
"""Crops to the proportions of the wanted size."""

NONE = "none"
"""Crops nothing: images of other proportions are squeezed."""

FILTERS = {"bicubic": "bicubic", "bilinear": "bilinear", "nearest": "nearest-exact"}
"""The filters of a resize, and what torch calls them."""

SHOWN = 3
"""So many sizes are named."""


def fit(
    images: Tensor, image_size: int | Size, channels: int, crop: str | Size = CENTER, resize: str = "bicubic"
) -> Tensor:
    """Bring images to a size and number of channels, without changing those that fit already.

    Grey becomes colour by repetition, colour becomes grey by ITU-R 601 luma, what has other proportions is
    cropped at its centre, and sizes change by an antialiased filter in integer arithmetic, of which the
    bicubic one agrees with Pillow's to one grey level and does not depend on the machine.

    Args:
        images: images (N, 1 or 3, H, W) uint8.
        image_size: the wanted height and width; one number for both.
        channels: 1 or 3.
        crop: `center`, `none`, or the height and width of the centre that is used, as far as an image has them;
            what is left is cropped to the wanted proportions.
        resize: `bicubic`, `bilinear`, or `nearest`.

    Returns:
        Images (N, channels, *image_size) uint8.
    """
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    before = (images.shape[2], images.shape[3])
    height, width = used(before, size, crop)
    if images.shape[1] == channels and before == (height, width) == size:
        return images
    top, left = (before[0] - height) // 2, (before[1] - width) // 2
    fitted = torch.empty(len(images), channels, *size, dtype=torch.uint8)
    for part, out in zip(torch.split(images, CHUNK), torch.split(fitted, CHUNK), strict=True):
        part = with_channels(part, channels)[:, :, top : top + height, left : left + width]
        if (height, width) != size:
            part = F.interpolate(part.contiguous(), size, mode=FILTERS[resize], antialias=resize != "nearest")
        out.copy_(part)
    return fitted


def used(before: Size, size: Size | None, crop: str | Size) -> Size:
    """Return the height and width of the centre of an image that is used.

    Args:
        before: the image's height and width.
        size: those it is brought to; None for those it is cropped to.
        crop: see `fit`.
    """
    height, width = before
    if not isinstance(crop, str):
        height, width = min(height, crop[0]), min(width, crop[1])
    if size is None or crop == NONE:
        return height, width
    if height * size[1] <= width * size[0]:
        return height, max(1, height * size[1] // size[0])
    return max(1, width * size[0] // size[1]), width


@dataclass(frozen=True)
class Fit:
    """How images of any size are brought to one shape; see `fit`.

    Attributes:
        shape: the wanted (C, H, W).
        crop: `center`, `none`, or the height and width of the centre that is used.
        resize: the filter.
    """

    shape: Shape
    crop: str | Size = CENTER
    resize: str = "bicubic"

    def __call__(self, images: Tensor) -> Tensor:
        """Return images (N, 1 or 3, H, W) uint8 in the wanted shape."""
        return fit(images, self.shape[1:], self.shape[0], self.crop, self.resize)

    def changes(self, found: Mapping[Shape, int]) -> tuple[str, ...]:
        """Return in words what is done to images, given how many there are of each shape; nothing if nothing is."""
        said = []
        total, size = sum(found.values()), self.shape[1:]

        def some(shapes: list[Shape], what: str) -> str:
            count = sum(found[shape] for shape in shapes)
            return what if count == total else f"{count:,} of {total:,} {what}"

        recoloured = [shape for shape in found if shape[0] != self.shape[0]]
        if recoloured:
            said.append(some(recoloured, f"turned from {'grey to colour' if self.shape[0] == 3 else 'colour to grey'}"))
        cropped = [shape for shape in found if used(shape[1:], size, self.crop) != shape[1:]]
        resized = [shape for shape in found if used(shape[1:], size, self.crop) != size]
        done = [some(cropped, "cropped at the centre")] if cropped else []
        done += [some(resized, f"resized ({self.resize})")] if resized else []
        if done:
            changed = {shape: found[shape] for shape in {*cropped, *resized}}
            said.append(f"{' and '.join(done)} from {named_sizes(changed)}")
        return tuple(said)


def fit_as(settings: Mapping[str, Any], shape: Sequence[int]) -> Fit:
    """Return how data with such settings bring images to a shape (C, H, W): by their `crop` and `resize`, if any."""
    crop = settings.get("crop", CENTER) or NONE
    sides = crop if isinstance(crop, str) else (crop, crop) if isinstance(crop, int) else (crop[0], crop[1])
    return Fit((shape[0], shape[1], shape[2]), sides, settings.get("resize") or "bicubic")


def named_sizes(found: Mapping[Shape, int], counted: bool = False) -> str:
    """Return the sizes that most images have, height x width, with how many of them there are if that is wanted."""
    counts: dict[Size, int] = {}
    for shape, count in found.items():
        counts[shape[1:]] = counts.get(shape[1:], 0) + count
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{height}x{width}{f' ({count:,})' if counted else ''}" for (height, width), count in most[:SHOWN]]
    others = len(most) - SHOWN
    return ", ".join(named) + (f" and {others:,} other size{'s' * (others > 1)}" if others > 0 else "")


def with_channels(images: Tensor, channels: int) -> Tensor:
    """Return images (N, 1 or 3, H, W) uint8 with the wanted number of channels, 1 or 3."""
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1)
    weights = torch.tensor([19595, 38470, 7471], dtype=torch.int32).view(1, 3, 1, 1)  # of 65536, as in Pillow
    luma = (images * weights).sum(1, keepdim=True, dtype=torch.int32) + 0x8000
    return (luma >> 16).to(torch.uint8)
