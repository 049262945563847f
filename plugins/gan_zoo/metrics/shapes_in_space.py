"""Scores of volumes and of clouds of points."""

from __future__ import annotations

from typing import ClassVar

import torch

from gan_framework.api import Comparison, ConfigError, DataShape, Metric
from gan_zoo.chamfer import coverage_and_mmd
from gan_zoo.metrics.pair_bounds import bounds
from gan_zoo.metrics.paired_overlap import overlap


class PointCoverage(Metric):
    """Coverage and minimum matching distance of clouds of points, by chamfer (Achlioptas et al. 2018, section 2).

    Args:
        clouds: so many of each side are compared.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"mmd_chamfer": False, "coverage": True}
    legend: ClassVar[dict[str, str]] = {
        "mmd_chamfer": "mean chamfer distance of real clouds to the nearest made one: 0 is best",
        "coverage": "share of real clouds that are the nearest of some made one: 0 to 1",
    }
    samples_kept: ClassVar[int] = 10_000

    def __init__(self, clouds: int) -> None:
        if clouds < 2:
            raise ConfigError(f"metrics.point_coverage.clouds={clouds} must be at least 2")
        self.clouds = clouds

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if samples are no clouds of points."""
        if len(shape.sample) != 2 or shape.sample[1] != 3:
            raise ConfigError(f"point_coverage compares clouds of points (P, 3), and samples are {shape.sample}")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `mmd_chamfer` and `coverage`."""
        sets = []
        for found in (comparison.generated, comparison.real):
            chosen = torch.linspace(0, len(found.features) - 1, min(self.clouds, len(found.features))).long()
            sets.append(found.read(chosen).float())
        coverage, distance = coverage_and_mmd(*sets)
        return {"mmd_chamfer": distance, "coverage": coverage}


class VoxelOverlap(Metric):
    """Intersection over union of made volumes and what they should be, and of the part that was not given.

    A cell is full above the middle of its range: of 0 to 255 or, of floats, of the data's `value_range` or that of the
    targets. What was given is the input of a game that makes volumes of volumes.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"voxel_iou": True, "voxel_iou_unseen": True}
    legend: ClassVar[dict[str, str]] = {
        "voxel_iou": "cells full in both, as a share of those full in either: 0 to 1",
        "voxel_iou_unseen": "the same of cells that were empty in what was given",
    }
    needs_pairs: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `voxel_iou`, and `voxel_iou_unseen` where volumes are made of volumes."""
        assert comparison.pairs is not None, "only games of pairs come this far"
        counts = torch.zeros(2, 3, dtype=torch.float64)
        unseen = False
        middle = sum(bounds(comparison)) / 2
        for part in comparison.pairs():
            made, true = part.generated > middle, part.target > middle
            counts[0] += torch.stack(overlap(made, true)).double()
            if part.input.shape == part.target.shape:
                unseen = True
                hidden = part.input <= middle
                counts[1] += torch.stack(overlap(made & hidden, true & hidden)).double()
        names = ("voxel_iou", "voxel_iou_unseen") if unseen else ("voxel_iou",)
        return {name: both / max(a + b - both, 1.0) for name, (both, a, b) in zip(names, counts.tolist(), strict=False)}
