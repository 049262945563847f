"""Sketches of digits."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from gan_framework.api import DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_split
from gan_zoo.datasets.digits import Digits
from gan_zoo.datasets.rendered import in_8_bits

JITTER = 0.8
"""The deviation, in pixels, by which a line wanders."""


class Sketches(DataSource):
    """The outlines of the digits, lines of about a pixel that wander, white on black; labels are the digits'.

    Args:
        image_size: height and width in pixels.
        channels: 1.
        num_classes: 10.
    """

    def __init__(self, image_size: int, channels: int, num_classes: int | None) -> None:
        self._digits = Digits(image_size, channels, num_classes)
        self.classes = self._digits.classes
        self.shape = DataShape(self._digits.shape.sample, self._digits.shape.num_classes)

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("sketches", split, ("train", "test"))
        data = self._digits.load(split)
        images = data.samples.float() / 255
        size = images.shape[2]
        random = seeding.generator(0, "sketches", split)
        wander = F.interpolate(torch.randn(len(images), 2, 5, 5, generator=random), size=(size, size), mode="bicubic")
        still = torch.eye(2, 3).expand(len(images), 2, 3)
        straight = F.affine_grid(still, list(images.shape), align_corners=False)
        bent = F.grid_sample(images, straight + wander.permute(0, 2, 3, 1) * (2 * JITTER / size), align_corners=False)
        on = (bent > 0.4).float()
        inner = -F.max_pool2d(-on, 3, 1, 1)
        return InMemory(in_8_bits(on - inner), data.labels)
