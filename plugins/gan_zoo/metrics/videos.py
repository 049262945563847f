"""Scores of videos of one bright shape that moves."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Metric

SCORED = 500
"""So many videos of each side at most."""

BRIGHT = 0.75
"""Where on the way from black to white what is bright begins."""


def centres(videos: Tensor, bounds: tuple[float, float] = (0.0, 255.0)) -> tuple[Tensor, Tensor]:
    """Return the centre (N, T, 2) and the area (N, T), a share of the frame, of what is bright in (N, T, C, H, W).

    Bright is what is beyond three quarters of the way between the bounds, black and white.
    """
    black, white = bounds
    bright = (videos.float().mean(2) > black + BRIGHT * (white - black)).double()
    area = bright.mean((2, 3))
    weight = bright / bright.sum((2, 3), keepdim=True).clamp(min=1)
    rows, columns = (torch.arange(size, dtype=torch.float64) for size in bright.shape[2:])
    row, column = (weight.sum(3) * rows).sum(2), (weight.sum(2) * columns).sum(2)
    return torch.stack([row, column], 2), area


def track_error(places: Tensor) -> Tensor:
    """Return how far places (N, T, 2) are from even motion with reflections (N,), in pixels.

    Where nothing is in the way the change of velocity is 0; at a wall it turns round, so that of each axis the largest
    change is left out. It is the mean over frames and axes of half the absolute second difference.
    """
    change = (places[:, 2:] - 2 * places[:, 1:-1] + places[:, :-2]).abs() / 2
    rest = change.sum(1) - change.amax(1)
    return rest.mean(1) / max(change.shape[1] - 1, 1)


class VideoMotion(Metric):
    """Whether one bright shape moves evenly and stays what it is; meant for data=videos.

    A video in which nothing is bright has an error of half a side. Of videos that are not of 8 bits black and white are
    the data's `value_range`, or else the least and the greatest value of the real ones.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"position_error": False, "content_drift": False}
    legend: ClassVar[dict[str, str]] = {
        "position_error": "pixels by which the bright shape is off an even track: as of real videos at best",
        "content_drift": "relative change of the bright shape's area from frame to frame: as of real videos at best",
        "position_error_real": "the first of real videos",
        "content_drift_real": "the second of real videos",
    }
    samples_kept: ClassVar[int] = SCORED

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if samples are no videos of at least four frames."""
        if len(shape.sample) != 4 or shape.sample[0] < 4:
            raise ConfigError(
                f"metrics.video_motion scores videos (T, C, H, W) of 4 frames or more, and samples are {shape.sample}"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `position_error` and `content_drift`, and both of the real videos."""
        real, made = (side.read(side.some(SCORED)) for side in (comparison.real, comparison.generated))
        bounds = comparison.shape.value_range or (0.0, 255.0)  # of 8 bits there is none
        if not all(map(math.isfinite, bounds)):
            bounds = float(real.min()), float(real.max())
        (of_made, drift), (of_real, real_drift) = (_of(videos, bounds) for videos in (made, real))
        return {
            "position_error": of_made,
            "content_drift": drift,
            "position_error_real": of_real,
            "content_drift_real": real_drift,
        }


def _of(videos: Tensor, bounds: tuple[float, float]) -> tuple[float, float]:
    places, area = centres(videos, bounds)
    lost = area.amin(1) == 0
    error = torch.where(lost, videos.shape[-1] / 2.0, track_error(places))
    drift = (area.diff(dim=1).abs() / area[:, :-1].clamp(min=1 / videos[0, 0, 0].numel())).mean(1)
    return float(error.mean()), float(torch.where(lost, 1.0, drift).mean())
