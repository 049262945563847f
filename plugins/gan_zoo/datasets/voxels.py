"""Solids that are made: as voxels, as silhouettes and as points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.ranges import require_positive
from gan_zoo.solids import KINDS, Solids, first_hits, make_solids, project, surface_points, turned, voxels

GIVEN = ("nothing", "depth", "silhouette")

TURNS = 8
"""From so many sides silhouettes are seen."""


class _OfSolids(DataSource):
    """A source of solids; `test` has others than `train`.

    Args:
        samples: of each split.
        num_classes: 5, or null.
    """

    classes = KINDS

    def __init__(self, samples: int, num_classes: int | None) -> None:
        known_classes("solids", num_classes, len(KINDS))
        require_positive(samples=samples)
        self.samples = samples

    def _solids(self, split: str) -> tuple[Solids, torch.Generator]:
        known_split("solids", split, ("train", "test"))
        random = seeding.generator(0, "solids", split)
        return make_solids(self.samples, random), random


class OfSolids(InMemory):
    """Samples whose solids are known."""

    def __init__(self, samples: Tensor, labels: Tensor, extra: Mapping[str, Tensor], truth: Tensor) -> None:
        super().__init__(samples, labels, extra)
        self._truth = truth

    def read_truth(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return the whole solids (n, 1, D, D, D) uint8."""
        return self._truth[torch.as_tensor(indices, dtype=torch.int64)]


class Voxels(_OfSolids):
    """Boxes, balls, cylinders, tables and chairs as volumes (1, size, size, size), black outside and white inside.

    Args:
        size: cells to a side.
        samples: of each split.
        give: what each is given with, the extra `source`: `nothing`; `depth`, the cells that are seen from above; or
            `silhouette`, an image from one of eight sides, whose number / 8 is the extra `view`.
        channels: 1.
        num_classes: 5, or null.
        image_size: null.
    """

    def __init__(
        self, size: int, samples: int, give: str, channels: int | None, num_classes: int | None, image_size: None = None
    ) -> None:
        super().__init__(samples, num_classes)
        if give not in GIVEN:
            raise ConfigError(f"data.give={give} must be one of {', '.join(GIVEN)}")
        if size < 8 or channels not in (None, 1):
            raise ConfigError(f"data.size={size} data.channels={channels}: at least 8 cells, and one channel")
        self.size, self.give = size, give
        self.shape = DataShape((1, size, size, size), len(KINDS))

    def load(self, split: str) -> OfSolids:
        """Return a split, `train` or `test`."""
        solids, random = self._solids(split)
        grid = voxels(solids, self.size)
        samples = grid[:, None].to(torch.uint8) * 255
        extra: dict[str, Tensor] = {}
        if self.give == "depth":
            extra["source"] = first_hits(grid)[:, None].to(torch.uint8) * 255
        elif self.give == "silhouette":
            view = torch.randint(TURNS, (len(grid),), generator=random)
            extra["source"] = silhouettes(grid, view)
            extra["view"] = view.float()[:, None] / TURNS
        return OfSolids(samples, solids.kind, extra, samples)


class Silhouettes(_OfSolids):
    """Images (1, size, size) of solids from one of eight sides, which nobody tells.

    Args:
        image_size: pixels to a side.
        samples: of each split.
        channels: 1.
        num_classes: 5, or null.
    """

    def __init__(self, image_size: int, samples: int, channels: int | None, num_classes: int | None) -> None:
        super().__init__(samples, num_classes)
        if image_size < 8 or channels not in (None, 1):
            raise ConfigError(f"data.image_size={image_size} data.channels={channels}: at least 8, and one channel")
        self.size = image_size
        self.shape = DataShape((1, image_size, image_size), len(KINDS))

    def load(self, split: str) -> OfSolids:
        """Return a split, `train` or `test`."""
        solids, random = self._solids(split)
        grid = voxels(solids, self.size)
        view = torch.randint(TURNS, (len(grid),), generator=random)
        return OfSolids(silhouettes(grid, view), solids.kind, {}, grid[:, None].to(torch.uint8) * 255)


class Points(_OfSolids):
    """Clouds (P, 3) of points evenly on the surfaces of solids, centred, in about [-1, 1].

    Args:
        points: P.
        samples: of each split.
        channels: P, or null.
        num_classes: 5, or null.
        image_size: null.
    """

    def __init__(
        self, points: int, samples: int, channels: int | None, num_classes: int | None, image_size: None = None
    ) -> None:
        super().__init__(samples, num_classes)
        if points < 16 or channels not in (None, points):
            raise ConfigError(f"data.points={points} data.channels={channels}: at least 16 points, and channels null")
        self.points = points
        self.shape = DataShape((points, 3), len(KINDS), value_range=(-1.5, 1.5))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        solids, random = self._solids(split)
        return InMemory(surface_points(solids, self.points, random), solids.kind)

    @classmethod
    def write(cls, path: Path, samples: Tensor, settings: Mapping[str, Any]) -> list[Path]:
        """Write clouds of points as the array `x` of an `.npz` file."""
        path = path.with_suffix(".npz")
        np.savez_compressed(path, x=samples.numpy())
        return [path]


def silhouettes(grid: Tensor, view: Tensor) -> Tensor:
    """Return images (N, 1, D, D) uint8 of grids (N, D, D, D) bool from sides (N,)."""
    seen = project(turned(grid.float(), view * (2 * math.pi / TURNS)))
    return ((seen > 0.5) * 255).to(torch.uint8)
