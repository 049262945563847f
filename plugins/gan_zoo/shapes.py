"""Scenes of plain shapes: how they are drawn, described, and read back from images.

A scene has up to four objects, each of a shape, a colour, a size and a place, no two of one colour or in one quarter.
What is drawn can be read from the pixels by rules alone, so that what a generator makes is measured without a network.
Places and lengths are in pixels of an image of 32 to a side; other images are drawn to that scale.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

SHAPES = ("circle", "square", "triangle")
COLOURS = ("red", "yellow", "green", "cyan", "blue", "magenta")
BITS = (*SHAPES, *COLOURS, "large", "top", "left")
"""What is said of one object: twelve bits."""

SIDE = 32
"""Pixels to a side of the image in which lengths are given."""

RADII = (3.25, 5.5)
"""Of small and of large objects: the radius of circles; squares reach 0.85, triangles 1.2 of it from their centre."""

PALETTE = torch.tensor(
    [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0], [1.0, 0.0, 1.0]]
)

HELD_OUT = {"yellow": "square", "cyan": "triangle", "magenta": "circle"}
"""The combinations that a split may leave out, a shape of either of three colours."""

WORDS = (
    *("<none>", "a", "large", "small", *COLOURS, *SHAPES),
    *("at", "the", "top", "bottom", "left", "right", "."),
)
"""The words of captions; the first fills up what is left of a caption."""

SENTENCE = 9
"""Words of each object's sentence: a large red circle at the top left."""

POINTS = 5
"""Key points of each object: the centre, then four of the outline, clockwise from the top."""

SATURATED = 0.4
"""The least difference of the strongest and the weakest of a pixel's colours, of 1, that makes it an object's."""

FAINT = 0.2
"""The least share of a pixel that is taken to be covered by an object."""

LEAST = 8
"""Pixels of one colour, in an image of 32 to a side, that make an object."""


class Scenes(NamedTuple):
    """What N scenes hold in up to K places; those in use come first, in the order of their colours.

    Attributes:
        present: whether there is an object (N, K).
        shape: indices into `SHAPES` (N, K).
        colour: indices into `COLOURS` (N, K).
        large: whether it is large (N, K).
        x: of its centre, from the left (N, K).
        y: of its centre, from the top (N, K).
    """

    present: Tensor
    shape: Tensor
    colour: Tensor
    large: Tensor
    x: Tensor
    y: Tensor

    @property
    def top(self) -> Tensor:
        """Whether objects are in the upper half (N, K)."""
        return self.y < SIDE / 2

    @property
    def left(self) -> Tensor:
        """Whether objects are in the left half (N, K)."""
        return self.x < SIDE / 2

    def attributes(self) -> Tensor:
        """Return the `BITS` of all places (N, 12 K), float32; those of a place without an object are 0."""
        bits = torch.cat(
            [
                torch.nn.functional.one_hot(self.shape, len(SHAPES)),
                torch.nn.functional.one_hot(self.colour, len(COLOURS)),
                torch.stack([self.large, self.top, self.left], 2).long(),
            ],
            2,
        )
        return (bits * self.present[:, :, None]).flatten(1).float()

    def captions(self) -> Tensor:
        """Return a sentence of each object (N, 9 K), int64, indices into `WORDS`."""
        word = {name: index for index, name in enumerate(WORDS)}

        def either(which: Tensor, yes: str, no: str) -> Tensor:
            return torch.where(which, word[yes], word[no])

        def always(name: str) -> Tensor:
            return torch.full_like(self.shape, word[name])

        words = [
            always("a"),
            either(self.large, "large", "small"),
            word[COLOURS[0]] + self.colour,
            word[SHAPES[0]] + self.shape,
            always("at"),
            always("the"),
            either(self.top, "top", "bottom"),
            either(self.left, "left", "right"),
            always("."),
        ]
        return (torch.stack(words, 2) * self.present[:, :, None]).flatten(1)

    def boxes(self) -> Tensor:
        """Return the least x and y and the greatest of each object (N, 4 K), of the image's sides; else 0."""
        points = self.points()[..., :2].unflatten(1, (-1, POINTS))[:, :, 1:]
        return (torch.cat([points.amin(2), points.amax(2)], 2) * self.present[:, :, None]).flatten(1)

    def points(self) -> Tensor:
        """Return the key points (N, 5 K, 3): x and y, of the image's sides, and 1; else 0."""
        corner = math.sqrt(0.75)
        outlines = torch.tensor(
            [
                [[0, 0], [0, -1], [1, 0], [0, 1], [-1, 0]],
                [[0, 0], [-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]],
                [[0, 0], [0, -1.2], [1.2 * corner, 0.6], [0, 0.6], [-1.2 * corner, 0.6]],
            ]
        )
        places = outlines[self.shape] * _radius(self.large)[..., None, None]
        places = places + torch.stack([self.x, self.y], 2)[:, :, None]
        shown = self.present[:, :, None, None].expand(-1, -1, POINTS, 1).float()
        return (torch.cat([places / SIDE, torch.ones_like(shown)], 3) * shown).flatten(1, 2)


def _radius(large: Tensor) -> Tensor:
    return torch.where(large, RADII[1], RADII[0])


def is_held_out(shape: Tensor, colour: Tensor) -> Tensor:
    """Return whether combinations of indices of shapes and colours are among `HELD_OUT`."""
    wanted = torch.tensor([SHAPES.index(HELD_OUT[name]) if name in HELD_OUT else -1 for name in COLOURS])
    return wanted[colour] == shape


def random_scenes(n: int, objects: int, all_combinations: bool, random: torch.Generator) -> Scenes:
    """Draw scenes of one to `objects` objects, each number as likely as another.

    Args:
        n: how many.
        objects: the most objects, up to four; a single one has more room.
        all_combinations: whether those in `HELD_OUT` are among them.
        random: the random numbers.
    """
    count = torch.randint(1, objects + 1, (n, 1), generator=random)
    present = torch.arange(objects) < count
    colour = torch.rand(n, len(COLOURS), generator=random).argsort(1)[:, :objects]
    colour = torch.where(present, colour, len(COLOURS) - 1 + torch.arange(objects)).sort(1).values
    colour = colour.clamp(max=len(COLOURS) - 1)
    shape = torch.randint(len(SHAPES), (n, objects), generator=random)
    if not all_combinations:
        left_out = torch.tensor([SHAPES.index(HELD_OUT[name]) if name in HELD_OUT else -1 for name in COLOURS])[colour]
        other = torch.randint(1, len(SHAPES), (n, objects), generator=random)
        shape = torch.where(left_out < 0, shape, (left_out + other) % len(SHAPES))
    large = torch.rand(n, objects, generator=random) < 0.5
    quarter = torch.rand(n, 4, generator=random).argsort(1)[:, :objects]
    x, y = places(large, quarter < 2, quarter % 2 == 0, objects == 1, random)
    return Scenes(present, shape, colour, large, x, y)


def places(large: Tensor, top: Tensor, left: Tensor, alone: bool, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw the centres of objects in their quarters, so that they lie inside the image whole.

    Args:
        large: whether they are large (N, K).
        top: whether they are in the upper half (N, K).
        left: whether they are in the left half (N, K).
        alone: whether they may reach into the other quarters.
        random: the random numbers.
    """
    reach = 1.2 * _radius(large)
    least, most = reach + 0.5, torch.full_like(reach, 14.0) if alone else SIDE / 2 - reach
    across, down = (least + (most - least) * torch.rand(large.shape, generator=random) for _ in range(2))
    return torch.where(left, across, SIDE - across), torch.where(top, down, SIDE - down)


# -- drawing --------------------------------------------------------------------------------------


def depth_inside(shape: Tensor, large: Tensor, x: Tensor, y: Tensor, size: int) -> Tensor:
    """Return how deep each pixel lies inside objects (..., size, size), in pixels of the image; below 0 outside.

    Args:
        shape: indices into `SHAPES` (...).
        large: whether they are large (...).
        x: of their centres (...).
        y: of their centres (...).
        size: pixels to a side of the image.
    """
    scale = size / SIDE
    middles = (torch.arange(size) + 0.5) / scale
    across, down = middles - x[..., None, None], middles[:, None] - y[..., None, None]
    radius = _radius(large)[..., None, None]
    kind = shape[..., None, None]
    circle = radius - (across.square() + down.square()).sqrt()
    square = 0.85 * radius - torch.maximum(across.abs(), down.abs())
    slanted = 0.6 * radius - (math.sqrt(0.75) * across.abs() - 0.5 * down)
    triangle = torch.minimum(0.6 * radius - down, slanted)
    return scale * torch.where(kind == 0, circle, torch.where(kind == 1, square, triangle))


def drawn(scenes: Scenes, size: int, ground: Tensor, brightness: Tensor) -> tuple[Tensor, Tensor]:
    """Return images (N, 3, size, size) uint8 of scenes and each object's mask (N, K, size, size), bool.

    Args:
        scenes: what is drawn.
        size: pixels to a side.
        ground: the grey of the ground (N,) in [0, 1].
        brightness: of objects (N, K) in [0, 1].
    """
    inside = depth_inside(scenes.shape, scenes.large, scenes.x, scenes.y, size)
    cover = (inside + 0.5).clamp(0, 1) * scenes.present[:, :, None, None]
    image = ground[:, None, None, None].expand(-1, 3, size, size).clone()
    for k in range(cover.shape[1]):
        colour = (PALETTE[scenes.colour[:, k]] * brightness[:, k, None])[:, :, None, None]
        image = image + cover[:, k, None] * (colour - image)
    return (image * 255).round().to(torch.uint8), cover > 0.5


# -- reading back ---------------------------------------------------------------------------------


def saturation(images: Tensor) -> Tensor:
    """Return how far the strongest colour of each pixel is above the weakest (N, H, W), in [0, 1]."""
    return (images.amax(1).float() - images.amin(1).float()) / 255


def colours_of(images: Tensor) -> Tensor:
    """Return the nearest of `COLOURS` to every pixel's hue (N, H, W), int64; of grey ones it means nothing."""
    values = images.float() - images.amin(1, keepdim=True).float()
    values = values / values.amax(1, keepdim=True).clamp(min=1)
    return torch.stack([(values - colour[:, None, None]).square().sum(1) for colour in PALETTE], 1).argmin(1)


def read_scenes(images: Tensor, objects: int = 1) -> Scenes:
    """Return what images (N, 3, H, H) uint8 show: of the most frequent colours the best-fitting shapes and sizes.

    An object is where at least `LEAST` saturated pixels have its colour; how far a pixel is covered is its saturation
    as a share of the greatest. Its place is the mean of what is covered, and its shape and size are those which, drawn
    there, have the greatest intersection over union with it.
    """
    n, size = len(images), images.shape[-1]
    scale = size / SIDE
    strength, hue = saturation(images), colours_of(images)
    counts = torch.stack([((strength > SATURATED) & (hue == i)).sum((1, 2)) for i in range(len(COLOURS))], 1)
    most = counts.sort(stable=True, dim=1, descending=True)
    present = most.values[:, :objects] >= LEAST * scale**2
    colour = torch.where(present, most.indices[:, :objects], len(COLOURS) + torch.arange(objects))
    colour = colour.sort(1).values
    present, colour = colour < len(COLOURS), colour.clamp(max=len(COLOURS) - 1)
    covered = strength[:, None] * (hue[:, None] == colour[:, :, None, None])
    covered = covered / covered.amax((2, 3), keepdim=True).clamp(min=SATURATED)
    covered = covered * (covered > FAINT)
    area = covered.sum((2, 3)).clamp(min=1)
    middles = (torch.arange(size) + 0.5) / scale
    x, y = ((covered * line).sum((2, 3)) / area for line in (middles, middles[:, None]))
    fits = []
    for shape in range(len(SHAPES)):
        for large in (False, True):
            kind = torch.full((n, objects), shape), torch.full((n, objects), large)
            template = (depth_inside(*kind, x, y, size) + 0.5).clamp(0, 1)
            shared = torch.minimum(covered, template).sum((2, 3))
            fits.append(shared / torch.maximum(covered, template).sum((2, 3)))
    best = torch.stack(fits, 2).argmax(2)
    return Scenes(present, best // 2, colour, best % 2 == 1, x, y)
