"""Images of plants with a known number of leaves, made on the spot."""

from __future__ import annotations

import torch

from gan_framework.api import DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.datasets.shapes import check_drawing
from gan_zoo.rosettes import MOST, draw_rosettes


class Rosettes(DataSource):
    """Rosettes of 1 to 8 green leaves about the middle of brown noise; the class is the number of leaves less 1.

    Leaves stand evenly around, turned by a random angle, each larger or smaller by up to a fifth.

    Args:
        image_size: height and width in pixels, at least 16.
        channels: 3.
        num_classes: 8.
        samples: images in the split `train`; `test` has a fifth.
    """

    classes = tuple(str(count) for count in range(1, MOST + 1))

    def __init__(self, image_size: int, channels: int | None, num_classes: int | None, samples: int) -> None:
        known_classes("rosettes", num_classes, MOST)
        check_drawing("rosettes", image_size, channels, samples)
        self.shape = DataShape((3, image_size, image_size), MOST)
        self.samples = samples

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("rosettes", split, ("train", "test"))
        random = seeding.generator(0, "rosettes", split)
        n = self.samples if split == "train" else self.samples // 5
        labels = torch.randint(MOST, (n,), generator=random)
        return InMemory(draw_rosettes(labels + 1, self.shape.sample[1], random), labels)
