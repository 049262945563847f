"""Digits with and without a bar across."""

from __future__ import annotations

import torch

from gan_framework.api import ConfigError, DataSource, seeding
from gan_zoo.datasets.checks import known_split
from gan_zoo.datasets.edited_digits import DIGIT, IDENTITY, TARGET, Edited, digits_of, shape_of

THICKNESS = 3 / 32
HIGHEST, LOWEST = 10 / 32, 22 / 32
"""Of the image's height: the bar's thickness, and between which rows it begins."""

CLASSES = ("plain", "marked")


class DigitMarks(DataSource):
    """One half of the digits with a white bar across, label 1, the other half without, label 0: never a digit as both.

    Bars of images of 32 pixels are 3 pixels thick and begin at a row from 10 to 22. The truth of each image is the
    digit without a bar, so that `target` is 0 everywhere.

    Args:
        image_size: height and width in pixels, at least 8.
        channels: 1.
        num_classes: 2.
        marked: true for the half with bars alone, false for the other half, null for both.
    """

    classes = CLASSES

    def __init__(self, image_size: int, channels: int | None, num_classes: int | None, marked: bool | None) -> None:
        if num_classes not in (None, 2):
            raise ConfigError(f"data.num_classes={num_classes}: digit_marks has the classes {' and '.join(CLASSES)}")
        if image_size < 8:
            raise ConfigError(f"data.image_size={image_size}: a bar needs images of at least 8 pixels")
        self.marked = marked
        self.shape = shape_of(image_size, channels, len(CLASSES))

    def load(self, split: str) -> Edited:
        """Return a split, `train` or `test`, in the order of the digits."""
        known_split("digit_marks", split, ("train", "test"))
        digits, classes = digits_of(self.shape.sample[1], split)
        random = seeding.generator(0, "digit marks", split)
        labels = torch.zeros(len(digits), dtype=torch.int64)
        labels[torch.randperm(len(digits), generator=random)[: len(digits) // 2]] = 1
        size = digits.shape[2]
        first = torch.randint(round(HIGHEST * size), round(LOWEST * size) + 1, labels.shape, generator=random)
        rows = torch.arange(size) - first[:, None]
        bars = (rows >= 0) & (rows < max(round(THICKNESS * size), 1)) & (labels == 1)[:, None]
        images = torch.where(bars[:, None, :, None], torch.tensor(255, dtype=torch.uint8), digits)
        chosen = torch.arange(len(digits)) if self.marked is None else (labels == int(self.marked)).nonzero()[:, 0]
        extra = {IDENTITY: chosen, DIGIT: classes[chosen], TARGET: torch.zeros_like(chosen)}
        return Edited(images[chosen], labels[chosen], extra, digits[chosen])
