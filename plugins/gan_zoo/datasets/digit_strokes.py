"""Digits of several thicknesses."""

from __future__ import annotations

import torch

from gan_framework.api import ConfigError, DataSource
from gan_zoo.datasets.checks import known_split
from gan_zoo.datasets.edited_digits import DIGIT, IDENTITY, TARGET, Edited, digits_of, other_labels, shape_of, thickened

THINNEST = -1
MOST = 5


class DigitStrokes(DataSource):
    """Each digit once at every thickness, which is its label: of class k it has been thickened k - 1 times.

    To thicken is to take the maximum over 3x3 pixels; class 0 has minima, and is thinner. Beside each image come the
    index and the class of the digit, and another thickness, of which the truth is the same digit at that thickness.

    Args:
        image_size: height and width in pixels.
        channels: 1.
        num_classes: how many thicknesses, from 2 to 5.
    """

    def __init__(self, image_size: int, channels: int | None, num_classes: int) -> None:
        if not 2 <= num_classes <= MOST:
            raise ConfigError(
                f"data.num_classes={num_classes}: there are from 2 to {MOST} thicknesses of digit_strokes"
            )
        self.count = num_classes
        self.shape = shape_of(image_size, channels, num_classes)
        self.classes = ("thinned", "as written", *(f"thickened {k} times" for k in range(1, MOST - 1)))[:num_classes]

    def load(self, split: str) -> Edited:
        """Return a split, `train` or `test`: all digits of one thickness, then all of the next."""
        known_split("digit_strokes", split, ("train", "test"))
        digits, classes = digits_of(self.shape.sample[1], split)
        levels = torch.stack([thickened(digits, THINNEST + k) for k in range(self.count)])
        n = len(digits)
        labels, identity = torch.arange(self.count).repeat_interleave(n), torch.arange(n).repeat(self.count)
        target = other_labels(labels, self.count, "digit strokes", split)
        extra = {IDENTITY: identity, DIGIT: classes.repeat(self.count), TARGET: target}
        return Edited(levels.flatten(0, 1), labels, extra, levels[target, identity])
