"""Vectors of bits of two classes, made up: no programs, and nothing read from any."""

from __future__ import annotations

import torch

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split


class FeatureBits(DataSource):
    """Synthetic bits, of which each is 1 with a probability of its own in either class: `benign` 0 and `bad` 1.

    They are for the study of detectors. A bit's log-odds in a class are those of the bit, N(-1, 1), and a part of the
    class, N(0, 0.5).

    Args:
        samples: in the split `train`, half of each class; `test` has a quarter.
        image_size: null, as samples are no images.
        channels: the number of bits.
        num_classes: 2.
    """

    classes = ("benign", "bad")

    def __init__(self, samples: int, image_size: None, channels: int, num_classes: int | None) -> None:
        known_classes("feature_bits", num_classes, 2)
        if image_size is not None or channels < 2:
            raise ConfigError(
                f"data.image_size={image_size} data.channels={channels} must be null and at least 2: they are vectors"
            )
        if samples < 8:
            raise ConfigError(f"data.samples={samples} must be at least 8")
        self.samples = samples
        self.shape = DataShape((channels,), 2, value_range=(0.0, 1.0))
        random = seeding.generator(0, "feature bits")
        common = torch.randn(channels, generator=random) - 1
        self.probabilities = torch.sigmoid(common + 0.5 * torch.randn(2, channels, generator=random))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("feature_bits", split, ("train", "test"))
        n = self.samples if split == "train" else self.samples // 4
        labels = torch.arange(n) % 2
        drawn = torch.rand(n, self.shape.sample[0], generator=seeding.generator(0, "feature bits", split))
        return InMemory((drawn < self.probabilities[labels]).float(), labels)
