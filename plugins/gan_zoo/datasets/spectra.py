"""Spectra of two speakers that are made: what is said and who says it are known."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split

SPEAKERS = ("low", "high")

TILT = (-0.9, -0.3)
"""How a speaker's log-spectrum falls from the lowest to the highest frequency."""

PITCH = ((6.0, 9.0), (12.0, 17.0))
"""The distance of a speaker's harmonics in bins, from and to."""


def spectrum(content: Tensor, pitch: Tensor, speaker: Tensor, bins: int) -> Tensor:
    """Return log-spectra (N, 1, bins) of about [-1, 1].

    Args:
        content: the places of two formants (N, 2), from 0 to 1.
        pitch: where between a speaker's lowest and highest distance of harmonics (N,), from 0 to 1.
        speaker: (N,).
        bins: of a spectrum.
    """
    at = torch.arange(bins) / bins
    formants = torch.exp(-0.5 * ((at - content[..., None]) / 0.06).square()) * torch.tensor([0.9, 0.7])[None, :, None]
    low, high = torch.tensor(PITCH)[speaker].unbind(1)
    distance = (low + (high - low) * pitch)[:, None]
    comb = 0.25 * torch.cos(2 * torch.pi * torch.arange(bins) / distance) * torch.exp(-3 * at)
    tilt = torch.tensor(TILT)[speaker][:, None] * at
    return (formants.sum(1) + tilt + comb)[:, None] - 0.2


class OfSpeakers(InMemory):
    """Spectra that know what the other speaker's of the same content are."""

    def __init__(self, samples: Tensor, labels: Tensor, truth: Tensor) -> None:
        super().__init__(samples, labels)
        self._truth = truth

    def read_truth(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return the same content of the other speaker (n, 1, bins)."""
        return self._truth[torch.as_tensor(indices, dtype=torch.int64)]


class Spectra(DataSource):
    """Log-spectra (1, bins) of two speakers, the class: two formants that say what, a tilt and harmonics that say who.

    Args:
        bins: 513 in the paper.
        samples: of each split.
        channels: 1, or null.
        num_classes: 2, or null.
        image_size: null.
    """

    classes = SPEAKERS

    def __init__(
        self, bins: int, samples: int, channels: int | None, num_classes: int | None, image_size: None = None
    ) -> None:
        known_classes("spectra", num_classes, 2)
        if bins < 32 or samples < 2:
            raise ConfigError(f"data.bins={bins} data.samples={samples}: at least 32 and 2")
        self.bins, self.samples = bins, samples
        self.shape = DataShape((1, bins), 2, value_range=(-2.0, 2.0))

    def load(self, split: str) -> OfSpeakers:
        """Return a split, `train` or `test`."""
        known_split("spectra", split, ("train", "test"))
        random = seeding.generator(0, "spectra", split)
        content = torch.rand(self.samples, 2, generator=random) * torch.tensor([0.25, 0.4]) + torch.tensor([0.08, 0.4])
        pitch = torch.rand(self.samples, generator=random)
        speaker = torch.arange(self.samples) % 2
        here, there = (spectrum(content, pitch, of, self.bins) for of in (speaker, 1 - speaker))
        return OfSpeakers(here, speaker, there)
