"""Whether samples are copies of training samples."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, Metric
from gan_zoo.metrics.neighbours import nearest
from gan_zoo.ranges import require_positive

SUSPICIOUS = 0.75
"""A share above which samples lie clearly nearer to the training samples than held-out ones do."""


class Memorisation(Metric):
    """Distances of samples to their nearest training samples against those of held-out samples.

    The data-copying test of Meehan, Chaudhuri & Dasgupta 2020 (arXiv 2004.05675, section 3), over
    the whole space instead of cells.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {}
    held_out: ClassVar[str | None] = "test"
    legend: ClassVar[dict[str, str]] = {
        "memorisation": "P(a sample is nearer to the training data than a test sample is): ½ is right, 1 copies",
        "memorisation_ratio": "median distance to the training data over that of test samples: 1 is right, 0 copies",
    }
    samples_kept: ClassVar[int] = 256
    needs_splits: ClassVar[tuple[str, ...]] = ("train", "test")

    def __init__(self, rows: int, neighbours: int) -> None:
        """Choose the size of the picture.

        Raises:
            ValueError: it would be empty.
        """
        require_positive(rows=rows, neighbours=neighbours)
        self.rows = rows
        self.neighbours = neighbours

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `memorisation` and `memorisation_ratio`.

        `memorisation` is the probability that a sample is nearer to the training samples than a
        held-out one: 1/2 for a perfect generator, towards 1 for copies, towards 0 for samples far
        from all data. `memorisation_ratio` is the ratio of the median distances, 0 for copies.
        The picture `memorisation` shows the samples nearest to training images.
        """
        from scipy.stats import mannwhitneyu

        train = comparison.split("train").features
        generated = nearest(comparison.generated.features, train)[0][:, 0]
        held_out = nearest(comparison.split("test").features, train)[0][:, 0]
        pairs = len(generated) * len(held_out)
        nearer = float(mannwhitneyu(held_out.numpy(), generated.numpy()).statistic) / pairs
        if nearer > SUSPICIOUS:
            comparison.warnings.append(
                f"memorisation: a sample is nearer to the training data than a test sample is with probability "
                f"{nearer:.2f} (expected: 0.5): the generator copies training data, or its samples lack detail"
            )
        if comparison.shape.is_image and comparison.shape.is_8_bit:
            comparison.pictures["memorisation"] = self._picture(comparison)
        return {
            "memorisation": nearer,
            "memorisation_ratio": float(generated.median() / held_out.median()),
        }

    def _picture(self, comparison: Comparison) -> Tensor:
        """Return the samples nearest to training images, each at the left of its nearest training images."""
        from torchvision.utils import make_grid

        train = comparison.split("train")
        generated = comparison.generated
        candidates = generated.some(self.samples_kept)
        neighbours = min(self.neighbours, len(train.features))
        distances, indices = nearest(generated.features[candidates], train.features, neighbours)
        closest = distances[:, 0].argsort()[: self.rows]
        rows = [
            torch.cat([generated.read(candidates[closest[i : i + 1]]), train.read(indices[closest[i]])])
            for i in range(len(closest))
        ]
        grid: Tensor = make_grid(torch.cat(rows), nrow=len(rows[0]), padding=2, pad_value=128)
        return grid
