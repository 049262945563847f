"""Pairs that are drawn on the spot by a few known parameters: filaments, textures in shapes, composites, occlusions."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.datasets.shape_pairs import outline
from gan_zoo.datasets.tasks import MASK, SOURCE
from gan_zoo.drawing_pairs import TEXTURES, blurred, clouds, inside, textures, to_bytes, trees, uniform

LEAST_SIDE = 16
PATCH = 10
"""Pixels to a side of the patch of texture that is given."""

VISIBLE, FULL = "visible", "full"

Made = tuple[Tensor, Tensor | None, dict[str, Tensor]]
"""Samples uint8, their classes, and their extras."""


class MadePairs(DataSource):
    """The base of pairs that are drawn: what they say of themselves, and their splits.

    Args:
        image_size: height and width in pixels, at least 16.
        channels: of the targets.
        source_channels: of the sources.
        num_classes: of the labels.
        samples: pairs in the split `train`; `test` has a fifth.
    """

    channels: ClassVar[int] = 3
    source_channels: ClassVar[int] = 3

    def __init__(
        self,
        image_size: int,
        channels: int | None,
        source_channels: int | None,
        num_classes: int | None,
        samples: int,
    ) -> None:
        name = type(self).__name__
        known_classes(name, num_classes, len(self.classes))
        if not isinstance(image_size, int) or image_size < LEAST_SIDE:
            raise ConfigError(f"data.image_size={image_size} must be a whole number, at least {LEAST_SIDE}")
        if samples < 10:
            raise ConfigError(f"data.samples={samples} must be at least 10")
        for setting, value, found in (
            ("channels", channels, self.channels),
            ("source_channels", source_channels, self.source_channels),
        ):
            if value not in (None, found):
                raise ConfigError(f"data.{setting}={value}: {name} has {found}")
        self.size, self.samples = image_size, samples
        extra = self.extras()
        self.shape = DataShape((self.channels, image_size, image_size), len(self.classes), extra=extra)
        self.mirrors: Mapping[str, bool] = {name: len(shape) == 3 for name, shape in extra.items()}

    def extras(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the extras by name."""
        return {SOURCE: (self.source_channels, self.size, self.size)}

    @abstractmethod
    def draw(self, n: int, random: torch.Generator) -> Made:
        """Return n pairs."""

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split(type(self).__name__, split, ("train", "test"))
        n = self.samples if split == "train" else max(self.samples // 5, 2)
        return InMemory(*self.draw(n, seeding.generator(0, type(self).__name__, split)))


class Filaments(MadePairs):
    """Branching lines, 3 to 1 pixels wide, as dark vessels on a bright, cloudy ground that is darker at its border.

    Targets are such images (1, H, W), sources the lines, white on black.
    """

    channels = source_channels = 1

    def draw(self, n: int, random: torch.Generator) -> Made:
        """Return images, no classes, and the lines."""
        lines = trees(n, self.size, random)
        line = torch.linspace(-1, 1, self.size)
        border = 1 - 0.35 * (line[:, None].square() + line.square()) / 2
        ground = (0.6 + 0.3 * clouds(n, 1, self.size, random)) * border
        contrast = uniform(n, 0.35, 0.5, random)[:, None, None, None]
        image = ground - contrast * blurred(lines) + 0.05 * torch.randn(lines.shape, generator=random)
        return to_bytes(image), None, {SOURCE: to_bytes(lines)}


class TexturedShapes(MadePairs):
    """Stripes, checks or dots of two colours inside a shape on a plain ground; the class is the texture.

    Sources are the outlines (1, H, W); `patch` (3, 10, 10) is a piece of the texture, and `mask` (1, H, W) 1 where it
    is. Periods are from 4 to 8 pixels.
    """

    classes = TEXTURES
    source_channels = 1

    def extras(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the extras by name."""
        return {**super().extras(), "patch": (3, PATCH, PATCH), MASK: (1, self.size, self.size)}

    def draw(self, n: int, random: torch.Generator) -> Made:
        """Return images, their textures' classes, outlines, patches and masks."""
        kind = torch.randint(len(TEXTURES), (n,), generator=random)
        period, angle = uniform(n, 4, 8, random), uniform(n, 0, math.pi, random)
        colours = torch.rand(2, n, 3, 1, 1, generator=random)
        colours = torch.stack([0.5 + 0.5 * colours[0], 0.4 * colours[1]])

        def coloured(size: int) -> Tensor:
            grey = textures(kind, period, angle, size)
            return grey * colours[0] + (1 - grey) * colours[1]

        shape = torch.randint(3, (n,), generator=random)
        x, y = (uniform(n, 0.42, 0.58, random) * self.size for _ in range(2))
        mask = inside(shape, x, y, uniform(n, 0.3, 0.4, random) * self.size, self.size)
        image = mask * coloured(self.size) + (1 - mask) * 0.75
        extra = {SOURCE: outline(mask), "patch": to_bytes(coloured(PATCH)), MASK: mask}
        return to_bytes(image), kind, extra


class Composites(MadePairs):
    """Scenes into which an object of another scene was pasted with its colours shifted by a constant.

    Sources are the pasted images (3, H, W), targets the same with the object in its true colours, and `mask` (1, H, W)
    is 1 where the object is.
    """

    def extras(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the extras by name."""
        return {**super().extras(), MASK: (1, self.size, self.size)}

    def draw(self, n: int, random: torch.Generator) -> Made:
        """Return scenes, no classes, composites and masks."""
        scene = 0.25 + 0.5 * clouds(n, 3, self.size, random)
        kind = torch.randint(3, (n,), generator=random)
        x, y = (uniform(n, 0.35, 0.65, random) * self.size for _ in range(2))
        mask = inside(kind, x, y, uniform(n, 0.18, 0.3, random) * self.size, self.size)
        detail = 0.1 * (2 * clouds(n, 1, self.size, random, cells=8) - 1)
        true = scene + mask * detail
        shift = uniform(3 * n, 0.12, 0.25, random).view(n, 3, 1, 1)
        sign = 2 * torch.randint(2, (n, 3, 1, 1), generator=random) - 1
        return to_bytes(true), None, {SOURCE: to_bytes(true + mask * sign * shift), MASK: mask}


class OccludedShapes(MadePairs):
    """A shape behind another, which covers a fifth to three fifths of it; the class is that of the hidden one.

    Sources are images (3, H, W); targets the hidden object alone on black, whole. `visible` and `full` (1, H, W) are 1
    where it is seen, and where it is.
    """

    classes = ("circle", "square", "triangle")

    def extras(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the extras by name."""
        return {**super().extras(), **dict.fromkeys((VISIBLE, FULL), (1, self.size, self.size))}

    def draw(self, n: int, random: torch.Generator) -> Made:
        """Return whole objects, their shapes, images and masks; of several tries those that cover as much as wanted."""
        tries = 5 * n
        kind, front_kind = torch.randint(3, (2, tries), generator=random)
        radius, front_radius = (uniform(tries, 0.2, 0.32, random) * self.size for _ in range(2))
        x, y = (uniform(tries, 0.35, 0.65, random) * self.size for _ in range(2))
        angle, away = uniform(tries, 0, 2 * math.pi, random), uniform(tries, 0.5, 1.3, random) * radius
        full = inside(kind, x, y, radius, self.size)
        front = inside(front_kind, x + away * torch.cos(angle), y + away * torch.sin(angle), front_radius, self.size)
        covered = (full * front).sum((1, 2, 3)) / full.sum((1, 2, 3)).clamp(min=1)
        chosen = ((covered >= 0.2) & (covered <= 0.6)).nonzero()[:n, 0]
        if len(chosen) < n:
            chosen = chosen.repeat(-(-n // len(chosen)))[:n]
        full, front, kind = full[chosen], front[chosen], kind[chosen]
        colours = 0.3 + 0.7 * torch.rand(2, n, 3, 1, 1, generator=random)
        ground = 0.3 * clouds(n, 3, self.size, random)
        image = full * colours[0] + (1 - full) * ground
        image = front * colours[1] + (1 - front) * image
        extra = {SOURCE: to_bytes(image), VISIBLE: full * (1 - front), FULL: full}
        return to_bytes(full * colours[0]), kind, extra


FIRST = (0.5, 0.3, 0.2)
"""The chance of a circle, a square and a triangle in the farthest layer of `DepthLayers`."""

NEXT = ((0.1, 0.7, 0.2), (0.2, 0.2, 0.6), (0.7, 0.1, 0.2))
"""The same of each next layer, by the shape in the layer behind it (rows)."""

LAYERS = 3

GROUND = 0.15
"""The grey of the ground of `DepthLayers`, where white is 1."""


class DepthLayers(MadePairs):
    """Three shapes, one before another: the nearer the lower and larger; what follows on what is a Markov chain.

    Sources are the layers (12, H, W): of each, from far to near, red, green, blue and where it is. `kinds` (3,) int64
    are their shapes: circle, square or triangle, by the chances `FIRST` and `NEXT`. Targets are the scenes, whose
    class is the shape in the farthest layer.
    """

    classes = ("circle", "square", "triangle")
    source_channels = 4 * LAYERS

    def extras(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the extras by name."""
        return {**super().extras(), "kinds": (LAYERS,)}

    def draw(self, n: int, random: torch.Generator) -> Made:
        """Return scenes, their farthest shapes, layers and all shapes."""
        chances = torch.tensor(NEXT)
        kinds = [torch.multinomial(torch.tensor(FIRST), n, replacement=True, generator=random)]
        for _ in range(LAYERS - 1):
            kinds.append(torch.multinomial(chances[kinds[-1]], 1, generator=random)[:, 0])
        scene = torch.full((n, 3, self.size, self.size), GROUND)
        layers = []
        for number, kind in enumerate(kinds):
            x = uniform(n, 0.25, 0.75, random) * self.size
            y = (0.25 + 0.25 * number + uniform(n, -0.04, 0.04, random)) * self.size
            radius = torch.full((n,), (0.12 + 0.05 * number) * self.size)
            colour = 0.3 + 0.7 * torch.rand(n, 3, 1, 1, generator=random)
            mask = inside(kind, x, y, radius, self.size)
            scene = mask * colour + (1 - mask) * scene
            layers.append(torch.cat([mask * colour, mask], 1))
        extra = {SOURCE: to_bytes(torch.cat(layers, 1)), "kinds": torch.stack(kinds, 1)}
        return to_bytes(scene), kinds[0], extra
