"""Pairs of coloured shapes and something that is drawn of them: a layout, key points, an outline, small views."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory
from gan_zoo.datasets.shapes import Shapes
from gan_zoo.datasets.tasks import SOURCE

SPREAD = 1.5
"""Pixels by which a key point spreads, in an image of 32."""

SMALLER = 4
"""How many pixels to a side are one in the small views of the task `depth`."""

NEEDS = {"layout": "layout", "points": "points", "outline": "mask", "depth": "depth"}
"""By the name of a task the extra of shapes that it draws."""


def heat_maps(points: Tensor, kinds: int, size: int) -> Tensor:
    """Return where key points are, a map for each kind (N, kinds, size, size) float32, 1 at the points.

    Args:
        points: (N, kinds K, 3): x and y as shares of the sides, and 1 where there is one.
        kinds: of points.
        size: pixels to a side.
    """
    centres = (torch.arange(size) + 0.5) / size
    spread = SPREAD / 32
    down, across = (torch.exp(-0.5 * ((centres - points[..., axis, None]) / spread).square()) for axis in (1, 0))
    each = points[..., 2, None, None] * down[..., :, None] * across[..., None, :]
    maps: Tensor = each.unflatten(1, (-1, kinds)).amax(1)
    return maps


def outline(masks: Tensor) -> Tensor:
    """Return the inner borders of masks (N, 1, H, W) in {0, 1} as white lines on black, uint8."""
    eroded = -F.max_pool2d(-F.pad(masks, (1, 1, 1, 1)), 3, 1)
    return ((masks - eroded) * 255).to(torch.uint8)


def small_views(images: Tensor) -> Tensor:
    """Return the means over squares of images (N, C, H, W) uint8."""
    return F.avg_pool2d(images.float(), SMALLER).round().to(torch.uint8)


DRAWN: dict[str, Callable[[Tensor, Tensor, int], dict[str, Tensor]]] = {
    "layout": lambda images, layout, size: {SOURCE: layout},
    "points": lambda images, points, size: {SOURCE: heat_maps(points, 5, size)},
    "outline": lambda images, mask, size: {SOURCE: outline(mask)},
    "depth": lambda images, depth, size: {
        SOURCE: small_views(images),
        "small_depth": small_views(depth),
        "depth": depth,
    },
}
"""By the name of a task: images (N, 3, H, W) uint8, an extra of theirs and their size to the pairs' extras."""


class ShapePairs(DataSource):
    """The images of `data=shapes` as targets, and what a task draws of them as the extra `source`.

    `layout` (4, H, W): one-hot ground and shapes. `points` (5, H, W): a map for each key point. `outline` (1, H, W):
    the borders of the objects. `depth`: the image at a quarter of its size, and beside it `depth` (1, H, W) and
    `small_depth`, the same at a quarter.

    Args:
        task: `layout`, `points`, `outline` or `depth`.
        image_size: height and width in pixels, at least 16, a multiple of 4 for `depth`.
        channels: 3.
        source_channels: of the sources; None for whatever the task draws.
        num_classes: 3, the shapes.
        samples: images in the split `train`; `test` has a fifth.
        objects: the most objects in an image, 1 to 3.
    """

    def __init__(
        self,
        task: str,
        image_size: int,
        channels: int | None,
        source_channels: int | None,
        num_classes: int | None,
        samples: int,
        objects: int,
    ) -> None:
        if task not in DRAWN:
            raise ConfigError(f"data.task={task} must be one of {', '.join(DRAWN)}")
        if task == "depth" and image_size % SMALLER:
            raise ConfigError(f"data.image_size={image_size} must be a multiple of {SMALLER} with data.task=depth")
        self._shapes = Shapes(image_size, channels, num_classes, samples, objects, False, 1, 0.0, [NEEDS[task]])
        self.task, self.classes = task, self._shapes.classes
        small = image_size // SMALLER
        sizes = {
            "layout": {SOURCE: (4, image_size, image_size)},
            "points": {SOURCE: (5, image_size, image_size)},
            "outline": {SOURCE: (1, image_size, image_size)},
            "depth": {
                SOURCE: (3, small, small),
                "small_depth": (1, small, small),
                "depth": (1, image_size, image_size),
            },
        }[task]
        if source_channels not in (None, sizes[SOURCE][0]):
            raise ConfigError(f"data.source_channels={source_channels}: the sources of {task} have {sizes[SOURCE][0]}")
        self.shape = DataShape(self._shapes.shape.sample, len(self.classes), extra=sizes)
        self.mirrors: Mapping[str, bool] = dict.fromkeys(sizes, task != "points")

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        data = self._shapes.load(split)
        extra = DRAWN[self.task](data.samples, data.extra[NEEDS[self.task]], self.shape.sample[1])
        return InMemory(data.samples, data.labels, extra)
