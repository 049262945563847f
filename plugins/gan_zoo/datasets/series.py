"""Time series of which the truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.lengths import LENGTHS, inside, with_lengths

Drawn = tuple[Tensor, Tensor | None]
"""Series (N, F, T), and their classes (N,) or None."""

CLASSES = {"slow": 1.5, "middle": 3.0, "fast": 4.5}
"""Waves in a series of the kind `classes`, by the name of the class."""

MEMORY = 0.9
"""What of a value of `ar1` is left in the next one."""


def _uniform(low: float, high: float, *shape: int, random: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(*shape, 1, generator=random)


def _waves(frequency: Tensor, n: int, channels: int, length: int, random: torch.Generator) -> Tensor:
    amplitude = _uniform(0.1, 0.9, n, channels, random=random)
    phase = _uniform(-math.pi, math.pi, n, channels, random=random)
    return amplitude * (2 * math.pi / length * frequency * torch.arange(length) + phase).sin()


def sines(n: int, channels: int, length: int, random: torch.Generator) -> Drawn:
    """A sin(2π f t / T + φ), A from .1 to .9, f from 1 to 5, φ from -π to π (Esteban et al. 2017, arXiv 1706.02633)."""
    return _waves(_uniform(1, 5, n, channels, random=random), n, channels, length, random), None


def classes(n: int, channels: int, length: int, random: torch.Generator) -> Drawn:
    """The same with f by the class."""
    labels = torch.arange(n) % len(CLASSES)
    frequency = torch.tensor([*CLASSES.values()])[labels][:, None, None]
    return _waves(frequency, n, channels, length, random), labels


def ar1(n: int, channels: int, length: int, random: torch.Generator) -> Drawn:
    """x_t = .9 x_(t-1) + √(1 - .81) e_t with standard normal e: of variance 1, the autocorrelation at lag k is .9^k."""
    noise = torch.randn(n, channels, length, generator=random)
    values = [noise[..., 0]]
    for step in range(1, length):
        values.append(MEMORY * values[-1] + math.sqrt(1 - MEMORY**2) * noise[..., step])
    return torch.stack(values, 2), None


def smooth(n: int, channels: int, length: int, random: torch.Generator) -> Drawn:
    """A Gaussian process of variance 1 with the autocorrelation exp(-½ (k / (T/10))²)."""
    step = torch.arange(length, dtype=torch.float64) / (length / 10)
    covariance = torch.exp(-0.5 * (step[:, None] - step) ** 2) + 1e-6 * torch.eye(length, dtype=torch.float64)
    factor = torch.linalg.cholesky(covariance).float()
    return torch.randn(n, channels, length, generator=random) @ factor.T, None


def slow_sines(n: int, channels: int, length: int, random: torch.Generator) -> Drawn:
    """½ + ½ sin(f t + φ), f and φ from 0 to .1 (Yoon et al. 2019, Time-series generative adversarial networks)."""
    frequency, phase = (_uniform(0, 0.1, n, channels, random=random) for _ in range(2))
    return 0.5 + 0.5 * (frequency * torch.arange(length) + phase).sin(), None


KINDS: dict[str, tuple[Callable[[int, int, int, torch.Generator], Drawn], tuple[float, float] | None]] = {
    "sines": (sines, (-1.0, 1.0)),
    "classes": (classes, (-1.0, 1.0)),
    "ar1": (ar1, None),
    "smooth": (smooth, None),
    "slow_sines": (slow_sines, (0.0, 1.0)),
}
"""By name how series are drawn, and their bounds."""


class Series(DataSource):
    """Series (F, T) made on the spot.

    Args:
        kind: `sines`, `classes`, `ar1`, `smooth` or `slow_sines`.
        channels: F, the values at each step.
        length: T, the number of steps.
        num_classes: 3 for `classes`, else 0.
        samples: of each split.
        shortest: steps of the shortest series, which are of every length from there to T alike, 0 after their end, and
            say it by the extra `lengths`; None for all of length T.
    """

    def __init__(
        self,
        kind: str,
        channels: int,
        length: int,
        num_classes: int | None,
        samples: int,
        shortest: int | None = None,
    ) -> None:
        if kind not in KINDS:
            raise ConfigError(f"data.kind={kind}: choose one of {', '.join(KINDS)}")
        if channels < 1 or length < 2 or samples < 1:
            raise ConfigError(
                f"data.channels={channels} data.length={length} data.samples={samples}: there is at least one value in "
                "each of at least two steps, and one sample"
            )
        if shortest is not None and not 1 <= shortest <= length:
            raise ConfigError(f"data.shortest={shortest} must lie from 1 to data.length={length}, or be null")
        self.classes = tuple(CLASSES) if kind == "classes" else ()
        known_classes(f"data.kind={kind}", num_classes, len(self.classes))
        self.kind, self.samples, self.shortest = kind, samples, shortest
        shape = DataShape((channels, length), len(self.classes), value_range=KINDS[kind][1])
        self.shape = with_lengths(shape, shortest is not None)

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("series", split, ("train", "test"))
        draw, _ = KINDS[self.kind]
        channels, length = self.shape.sample
        random = seeding.generator(0, "series", self.kind, split)
        series, labels = draw(self.samples, channels, length, random)
        if self.shortest is None:
            return InMemory(series, labels)
        lengths = torch.randint(self.shortest, length + 1, (self.samples,), generator=random)
        return InMemory(series * inside(lengths, length)[:, None], labels, {LENGTHS: lengths})
