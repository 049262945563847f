"""Four Gaussians in the plane that make a cross."""

from __future__ import annotations

import torch

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.ranges import require_positive

MEANS = ((0.0, 1.5), (-1.5, 0.0), (1.5, 0.0), (0.0, -1.5))
VARIANCES = ((3.0, 0.025), (0.025, 3.0), (0.025, 3.0), (3.0, 0.025))


class Cross2D(DataSource):
    """Points (x, y) of four long Gaussians in equal parts, two along either axis (Gan et al. 2017, arXiv 1709.06548).

    What y follows a given x, and the other way round, is spread and has several modes; the label is the number of the
    Gaussian.

    Args:
        samples: of each split.
        image_size: null, as the samples are no images.
        channels: 2.
        num_classes: 4, or null.
    """

    def __init__(self, samples: int, image_size: None, channels: int, num_classes: int | None) -> None:
        known_classes("cross_2d", num_classes, len(MEANS))
        if image_size is not None or channels != 2:
            raise ConfigError(
                f"data.image_size={image_size} data.channels={channels} must be null and 2: the samples of cross_2d "
                "are points in the plane"
            )
        require_positive(samples=samples)
        self.shape = DataShape((2,), len(MEANS))
        self.samples = samples

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("cross_2d", split, ("train", "test"))
        random = seeding.generator(0, "cross", split)
        labels = torch.arange(self.samples) % len(MEANS)
        noise = torch.randn(self.samples, 2, generator=random)
        return InMemory(torch.tensor(MEANS)[labels] + torch.tensor(VARIANCES).sqrt()[labels] * noise, labels)
