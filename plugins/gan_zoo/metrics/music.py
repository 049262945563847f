"""What music is like, beside that of the data (Dong et al. 2018, arXiv 1709.06298, section 6; Mogren 2016)."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Metric
from gan_zoo.datasets.music import in_scale
from gan_zoo.ranges import require_positive

MOST = 2_000
QUALIFIED = 3
"""Steps that a note lasts at least if it is no fragment."""


def interval_histogram(semitones: Tensor) -> Tensor:
    """Return how often notes (N, T) are so many semitones, from -12 to 12, above the one before (25,)."""
    intervals = (semitones[:, 1:].round() - semitones[:, :-1].round()).clamp(-12, 12).long() + 12
    counts = intervals.flatten().bincount(minlength=25).double()
    return counts / counts.sum()


class Melody(Metric):
    """Melodies of events whose second channel is the pitch in octaves above middle C."""

    higher_is_better: ClassVar[dict[str, bool]] = {"in_scale": True, "interval_distance": False}
    legend: ClassVar[dict[str, str]] = {
        "in_scale": "share of notes that are nearest to a semitone of C major, 0 to 1; 7/12 by chance",
        "interval_distance": "half the sum of differences of the histogram of intervals from the data's, 0 to 1",
    }
    samples_kept: ClassVar[int] = MOST

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the samples are no events."""
        if len(shape.sample) != 2 or shape.sample[0] != 4:
            raise ConfigError(
                f"metrics.melody reads events (4, T), and the samples are {shape.sample}: as of data=notes"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `in_scale` and `interval_distance`."""
        made, real = (12 * side.read(side.some(MOST))[:, 1] for side in (comparison.generated, comparison.real))
        distance = (interval_histogram(made) - interval_histogram(real)).abs().sum() / 2
        return {"in_scale": float(in_scale(made).double().mean()), "interval_distance": float(distance)}


def empty_bars(rolls: Tensor, steps: int) -> Tensor:
    """Return the share of bars without a note, of each track (K,), in rolls (N, K, P, T) of 0 and 1."""
    sounding: Tensor = rolls.unflatten(3, (-1, steps)).amax((2, 4)).double().mean((0, 2))
    return 1 - sounding


def pitch_classes(rolls: Tensor, steps: int) -> Tensor:
    """Return how many pitch classes a bar has, of each track (K,)."""
    return chroma(rolls, steps).gt(0).double().sum(3).mean((0, 2))


def chroma(rolls: Tensor, steps: int) -> Tensor:
    """Return how long each pitch class sounds in each bar (N, K, bars, 12)."""
    lasting: Tensor = rolls.unflatten(3, (-1, steps)).sum(4).movedim(2, 3).double()  # (N, K, bars, P)
    padded = torch.nn.functional.pad(lasting, (0, -lasting.shape[3] % 12))
    found: Tensor = padded.unflatten(3, (-1, 12)).sum(3)
    return found


def qualified_notes(rolls: Tensor) -> Tensor:
    """Return the share of notes that last at least 3 steps, of each track (K,); 1 where there are none."""
    before = torch.cat([torch.zeros_like(rolls[..., :1]), rolls[..., :-1]], 3)
    begins = (rolls > before).double()
    long = begins.clone()
    for shift in range(1, QUALIFIED):
        later = torch.nn.functional.pad(rolls[..., shift:], (0, shift))
        long = long * later
    notes = begins.sum((0, 2, 3))
    return torch.where(notes > 0, long.sum((0, 2, 3)) / notes.clamp(min=1), 1.0)


def tonal_distance(first: Tensor, second: Tensor) -> Tensor:
    """Return the distances (...) of the tonal centroids of chromas (..., 12) (Harte et al. 2006).

    The centroid is in three circles, of fifths, minor thirds and major thirds, with the radii 1, 1 and ½.
    """
    classes = torch.arange(12, dtype=torch.float64)
    rows = []
    for turns, radius in ((7 / 6, 1.0), (3 / 2, 1.0), (2 / 3, 0.5)):
        angle = math.pi * turns * classes
        rows += [radius * angle.sin(), radius * angle.cos()]
    basis = torch.stack(rows, 1)

    def centroid(chroma: Tensor) -> Tensor:
        return (chroma / chroma.sum(-1, keepdim=True).clamp(min=1e-12)) @ basis

    distance: Tensor = torch.linalg.vector_norm(centroid(first) - centroid(second), dim=-1)
    return distance


class Rolls(Metric):
    """Statistics of rolls of several tracks; a value counts as a note from ½ on.

    Args:
        steps: of a bar.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {
        "empty_bars_gap": False,
        "pitch_classes_gap": False,
        "qualified_notes_gap": False,
        "tonal_distance_gap": False,
    }
    legend: ClassVar[dict[str, str]] = {
        "empty_bars_gap": "difference of the share of empty bars from the data's, mean over tracks",
        "pitch_classes_gap": "difference of the number of pitch classes in a bar from the data's, mean over tracks",
        "qualified_notes_gap": "difference of the share of notes of at least 3 steps from the data's, mean over tracks",
        "tonal_distance_gap": "difference of the tonal distance of the first two tracks' bars from the data's",
    }
    samples_kept: ClassVar[int] = MOST

    def __init__(self, steps: int) -> None:
        require_positive(steps=steps)
        self.steps = steps

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the samples are no rolls of whole bars."""
        if len(shape.sample) != 3 or shape.sample[0] < 2 or shape.sample[2] % self.steps:
            raise ConfigError(
                f"metrics.rolls reads at least two tracks (K, P, T) of bars of {self.steps} steps, and the samples are "
                f"{shape.sample}: as of data=pianorolls"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return the four differences."""
        made, real = ((side.read(side.some(MOST)) >= 0.5).double() for side in (comparison.generated, comparison.real))
        found = []
        for rolls in (made, real):
            bars = chroma(rolls, self.steps)
            both = (bars[:, 0].sum(2) > 0) & (bars[:, 1].sum(2) > 0)
            apart = tonal_distance(bars[:, 0], bars[:, 1])[both]
            found.append(
                (
                    empty_bars(rolls, self.steps),
                    pitch_classes(rolls, self.steps),
                    qualified_notes(rolls),
                    apart.mean() if len(apart) else torch.tensor(0.0).double(),
                )
            )
        gaps = [float((a - b).abs().mean()) for a, b in zip(*found, strict=True)]
        return dict(zip(self.higher_is_better, gaps, strict=True))
