"""Cells in two channels, of which one follows from the other by a rule."""

from __future__ import annotations

import math

import torch

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.datasets.rendered import in_8_bits, inside, places, uniform

LONG = 0.5
"""The half length, in shares of half the side, above which a cell is long: none are between 0.45 and 0.55."""


class TwoChannelCells(DataSource):
    """A red ellipse of any angle; green discs at both its tips if it is long, else one at its centre.

    It stands for fission yeast, whose growth proteins are at the tips.

    Args:
        samples: in the split `train`; `test` has a quarter.
        image_size: height and width in pixels.
        channels: 2.
        num_classes: 0.
    """

    def __init__(self, samples: int, image_size: int, channels: int | None, num_classes: int | None) -> None:
        known_classes("two_channel_cells", num_classes, 0)
        if channels not in (None, 2):
            raise ConfigError(f"data.channels={channels}: cells have 2 channels, red and green")
        if samples < 4 or image_size < 16:
            raise ConfigError(f"data.samples={samples} data.image_size={image_size} must be at least 4 and 16")
        self.samples = samples
        self.shape = DataShape((2, image_size, image_size))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("two_channel_cells", split, ("train", "test"))
        n, size = (self.samples if split == "train" else self.samples // 4), self.shape.sample[1]
        random = seeding.generator(0, "cells", split)
        x, y = places(size)
        angle = uniform(n, 0, math.pi, random)
        is_long = torch.rand(n, 1, 1, generator=random) < 0.5
        half = torch.where(is_long, uniform(n, LONG + 0.05, 0.8, random), uniform(n, 0.28, LONG - 0.05, random))
        along, across = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
        red = inside((along / half).square() + (across / 0.22).square() - 1, 0.2)
        at = torch.where(is_long, half, torch.zeros(()))
        discs = [inside(((along - sign * at).square() + across.square()).sqrt() - 0.14, 0.03) for sign in (-1, 1)]
        green = torch.maximum(*discs)
        return InMemory(in_8_bits(torch.stack([red, green], dim=1)))
