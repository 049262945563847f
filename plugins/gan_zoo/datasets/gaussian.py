"""A Gaussian, whose density is known."""

from __future__ import annotations

import torch

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.ranges import require_not_negative, require_positive


class Gaussian(DataSource):
    """Vectors with independent normal entries; with deviation 0 all of them are the same point.

    Args:
        image_size: null, as the samples are no images.
        channels: the size of the vectors.
        num_classes: 0.
        mean: of every entry.
        std: of every entry.
        samples: of each split.
    """

    def __init__(
        self, image_size: None, channels: int, num_classes: int | None, mean: float, std: float, samples: int
    ) -> None:
        known_classes("gaussian", num_classes, 0)
        if image_size is not None:
            raise ConfigError(f"data.image_size={image_size} must be null: the samples of gaussian are vectors")
        require_positive(channels=channels, samples=samples)
        require_not_negative(std=std)
        self.shape = DataShape((channels,))
        self.mean, self.std, self.samples = mean, std, samples

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("gaussian", split, ("train", "test"))
        random = seeding.generator(0, "gaussian", split)
        return InMemory(self.mean + self.std * torch.randn(self.samples, *self.shape.sample, generator=random))
