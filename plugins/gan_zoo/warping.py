"""The geometric and the colour augmentations of ADA (Karras et al. 2020, arXiv 2006.06676, appendix B).

Each of their parts is applied to an image with a probability of its own; what an image gets is one affine map of places
and one of colours, so that it is resampled once. Maps are written as matrices (N, d + 1, d + 1) of homogeneous points.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


class Parts:
    """Draws what each image gets of parts that are applied with a probability.

    Args:
        x: the images, whose number, device and type the draws have.
        p: the probability, a tensor without axes.
    """

    def __init__(self, x: Tensor, p: Tensor) -> None:
        self.n, self.device = len(x), x.device
        self.dtype = torch.promote_types(x.dtype, torch.float32)
        self.p = p.to(self.dtype)

    def whether(self, p: Tensor | None = None) -> Tensor:
        """Return for each image, with the probability p, that it gets a part."""
        return self.uniform() < (self.p if p is None else p)

    def chosen(self, drawn: Tensor, neutral: float, p: Tensor | None = None) -> Tensor:
        """Return what was drawn, with the probability p, and what changes nothing otherwise (N,)."""
        return torch.where(self.whether(p), drawn, torch.full_like(drawn, neutral))

    def uniform(self) -> Tensor:
        """Return numbers of U[0, 1)."""
        return torch.rand(self.n, device=self.device, dtype=self.dtype)

    def normal(self, deviation: float) -> Tensor:
        """Return numbers of N(0, deviation)."""
        return deviation * torch.randn(self.n, device=self.device, dtype=self.dtype)

    def whole(self, below: int) -> Tensor:
        """Return whole numbers from 0 on."""
        return (below * self.uniform()).floor()


def geometry(x: Tensor, p: Tensor) -> Tensor:
    """Mirror, turn by quarters, shift, scale, rotate and stretch images (N, C, H, W).

    In the published order: mirror, quarter turns (half turns of images that are not square), shift by whole pixels up
    to an eighth of the side, scale by 2^N(0, 0.2), half of a rotation, stretch by 2^N(0, 0.2), the other half, shift by
    N(0, 0.125) of the side. Places outside are mirrored at the border. Pixels between others are their bilinear mean;
    the paper filters by a wavelet. An image that gets none of it stays as it is, to the bit.

    Args:
        x: the images.
        p: the probability of each part.
    """
    draw, (height, width) = Parts(x, p), x.shape[2:]
    turns = 4 if height == width else 2
    back = scaled(1 - 2 * draw.chosen(draw.whole(2), 0), None)
    back = back @ turned(-2 * math.pi / turns * draw.chosen(draw.whole(turns), 0))
    shifts = draw.whether().to(draw.dtype)  # of both sides or none
    back = back @ moved(*((shifts * (2 * draw.uniform() - 1) / 8 * side).round() for side in (width, height)))
    size = draw.chosen(2 ** draw.normal(0.2), 1)
    back = back @ scaled(1 / size, 1 / size)
    of_rotation = 1 - (1 - draw.p).clamp(min=0).sqrt()  # so that one of both comes with the probability p
    back = back @ turned(draw.chosen(math.pi * (2 * draw.uniform() - 1), 0, of_rotation))
    longer = draw.chosen(2 ** draw.normal(0.2), 1)
    back = back @ scaled(1 / longer, longer)
    back = back @ turned(draw.chosen(math.pi * (2 * draw.uniform() - 1), 0, of_rotation))
    shifts = draw.whether().to(draw.dtype)
    back = back @ moved(*(shifts * draw.normal(0.125) * side for side in (width, height)))
    same = (back - torch.eye(3, device=x.device, dtype=back.dtype)).flatten(1).abs().amax(1) < 1e-6
    return torch.where(same[:, None, None, None], x, resampled(x, back).to(x.dtype))


def colours(x: Tensor, p: Tensor) -> Tensor:
    """Change brightness, contrast, luma, hue and saturation of images (N, C, H, W) of one or three channels.

    Brightness by N(0, 0.2), contrast by 2^N(0, 0.5), luma mirrored, hue turned, saturation by 2^N(0, 1); the last three
    of coloured images. An image that gets none of it stays as it is, to the bit.

    Args:
        x: the images.
        p: the probability of each part.
    """
    draw = Parts(x, p)
    shift, contrast = draw.chosen(draw.normal(0.2), 0), draw.chosen(2 ** draw.normal(0.5), 1)
    if x.shape[1] == 1:
        # The mean of what the three channels of a grey image would become; hue and saturation leave that as it is.
        luma = 1 - 2 * draw.chosen(draw.whole(2), 0)
        return ((x + shift[:, None, None, None]) * (contrast * luma)[:, None, None, None]).to(x.dtype)
    eye = torch.eye(3, device=x.device, dtype=draw.dtype)
    grey = torch.full_like(eye, 1 / 3)  # v vᵀ, v the luma axis
    change = contrast[:, None, None] * eye
    change = (eye - 2 * draw.chosen(draw.whole(2), 0)[:, None, None] * grey) @ change
    change = about_grey(draw.chosen(math.pi * (2 * draw.uniform() - 1), 0), eye, grey) @ change
    change = (grey + draw.chosen(2 ** draw.normal(1.0), 1)[:, None, None] * (eye - grey)) @ change
    changed = (change[:, :, :, None, None] * (x + shift[:, None, None, None])[:, None]).sum(2)
    same = ((change - eye).flatten(1).abs().amax(1) < 1e-6) & (shift == 0)
    return torch.where(same[:, None, None, None], x, changed.to(x.dtype))


def half_colours(x: Tensor, p: Tensor) -> Tensor:
    """Change colours of images (N, C, H, W) as `colours` does, each part with half of the probability p."""
    return colours(x, p / 2)


PIPELINES = {"geometry": geometry, "colours": colours, "half_colours": half_colours}
"""Augmentations whose parts have the probability each, by their names in a policy."""


def moved(right: Tensor, down: Tensor) -> Tensor:
    """Return the maps (N, 3, 3) from places after a shift to those before."""
    maps = _eyes(right)
    maps[:, 0, 2], maps[:, 1, 2] = -right, -down
    return maps


def scaled(across: Tensor, down: Tensor | None) -> Tensor:
    """Return the maps (N, 3, 3) that multiply places by factors; None for 1."""
    maps = _eyes(across)
    maps[:, 0, 0] = across
    if down is not None:
        maps[:, 1, 1] = down
    return maps


def turned(angle: Tensor) -> Tensor:
    """Return the maps (N, 3, 3) that turn places about the centre."""
    maps, cosine, sine = _eyes(angle), angle.cos(), angle.sin()
    maps[:, 0, 0], maps[:, 0, 1] = cosine, -sine
    maps[:, 1, 0], maps[:, 1, 1] = sine, cosine
    return maps


def about_grey(angle: Tensor, eye: Tensor, grey: Tensor) -> Tensor:
    """Return the maps of colours (N, 3, 3) that turn them about the luma axis v; eye is I and grey v vᵀ."""
    next_one = eye.roll(1, 0)  # no numbers of the host, which a captured step could not read
    cross = math.sqrt(1 / 3) * (next_one - next_one.T)  # v × a colour
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return cosine * eye + sine * cross + (1 - cosine) * grey


def resampled(x: Tensor, back: Tensor) -> Tensor:
    """Return images (N, C, H, W) whose pixels are read at other places, bilinearly, mirrored at the border.

    By indices and not by `grid_sample`, which cannot be differentiated twice, as gradient penalties need.

    Args:
        x: the images.
        back: maps (N, 3, 3) from a pixel's place, in pixels from the centre (right, down), to where it is read.
    """
    n, _, height, width = x.shape
    rows = torch.arange(height, device=x.device, dtype=back.dtype) - (height - 1) / 2
    columns = torch.arange(width, device=x.device, dtype=back.dtype) - (width - 1) / 2
    across = back[:, 0, 0, None, None] * columns + back[:, 0, 1, None, None] * rows[:, None] + back[:, 0, 2, None, None]
    down = back[:, 1, 0, None, None] * columns + back[:, 1, 1, None, None] * rows[:, None] + back[:, 1, 2, None, None]
    at_column, at_row = across + (width - 1) / 2, down + (height - 1) / 2
    left, top = at_column.floor(), at_row.floor()
    which = torch.arange(n, device=x.device)[:, None, None]
    found = back.new_zeros(())
    for row, of_row in ((top, 1 - (at_row - top)), (top + 1, at_row - top)):
        for column, of_column in ((left, 1 - (at_column - left)), (left + 1, at_column - left)):
            # Indices on both sides of the channels put these last.
            read = x[which, :, mirrored(row, height), mirrored(column, width)].movedim(-1, 1)
            found = found + (of_row * of_column)[:, None] * read
    return found


def mirrored(places: Tensor, side: int) -> Tensor:
    """Return whole places as indices below a side, those outside mirrored between the middles of its end pixels."""
    period = max(2 * (side - 1), 1)
    wrapped = places.long().remainder(period)
    return torch.where(wrapped >= side, period - wrapped, wrapped)


def _eyes(like: Tensor) -> Tensor:
    return torch.eye(3, device=like.device, dtype=like.dtype).repeat(len(like), 1, 1)
