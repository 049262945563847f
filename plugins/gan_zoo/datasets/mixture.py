"""Mixtures of Gaussians in the plane, whose modes can be counted."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.ranges import require_above_zero, require_positive


def ring() -> Tensor:
    """Return 8 centres on a circle of radius 2 (Metz et al. 2016, arXiv 1611.02163, section 3.1)."""
    angle = torch.arange(8) * (2 * math.pi / 8)
    return 2 * torch.stack([angle.cos(), angle.sin()], dim=1)


def grid() -> Tensor:
    """Return 25 centres on a grid of distance 2 (Srivastava et al. 2017, arXiv 1705.07761, section 4.1)."""
    places = torch.arange(-4.0, 5.0, 2.0)
    return torch.cartesian_prod(places, places)


def spiral() -> Tensor:
    """Return 16 centres, about π/2 apart, on a spiral of two turns that ends at radius 4."""
    part = (torch.arange(1, 17) / 16).sqrt()
    angle = 4 * math.pi * part
    return 4 * part[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)


ARRANGEMENTS: dict[str, Callable[[], Tensor]] = {"ring": ring, "grid": grid, "spiral": spiral}


def centres(arrangement: str) -> Tensor:
    """Return the centres (K, 2) of an arrangement.

    Raises:
        ConfigError: there is no such arrangement.
    """
    if arrangement not in ARRANGEMENTS:
        raise ConfigError(f"data.arrangement={arrangement}: choose one of {', '.join(ARRANGEMENTS)}")
    return ARRANGEMENTS[arrangement]()


class Mixture(DataSource):
    """Points (N, 2) scattered around centres in equal parts; the label is the number of the centre.

    Args:
        arrangement: `ring` (8), `grid` (25) or `spiral` (16).
        std: the deviation of each coordinate around its centre.
        samples: of each split.
        image_size: null, as the samples are no images.
        channels: 2.
        num_classes: the number of centres, or null.
    """

    def __init__(
        self,
        arrangement: str,
        std: float,
        samples: int,
        image_size: None,
        channels: int,
        num_classes: int | None,
    ) -> None:
        self.centres = centres(arrangement)
        known_classes(f"the {arrangement}", num_classes, len(self.centres))
        if image_size is not None or channels != 2:
            raise ConfigError(
                f"data.image_size={image_size} data.channels={channels} must be null and 2: "
                "the samples of mixture are points in the plane"
            )
        require_positive(samples=samples)
        require_above_zero(std=std)
        self.shape = DataShape((2,), len(self.centres))
        self.std, self.samples = std, samples

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("mixture", split, ("train", "test"))
        random = seeding.generator(0, "mixture", split)
        labels = torch.arange(self.samples) % len(self.centres)
        noise = torch.randn(self.samples, 2, generator=random)
        return InMemory(self.centres[labels] + self.std * noise, labels)
