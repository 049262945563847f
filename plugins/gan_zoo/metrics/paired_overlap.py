"""How far maps cover what they should."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, Metric


class Overlap(Metric):
    """Intersection over union and Dice of samples and what they should be, where both are brighter than the middle.

    Both are counted over all pixels of all samples together, so that empty maps need no rule of their own.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"iou": True, "dice": True}
    legend: ClassVar[dict[str, str]] = {
        "iou": "pixels in both the made and the true map, as a share of those in either: 0 to 1",
        "dice": "twice the pixels in both maps, as a share of those of each together: 0 to 1",
    }
    needs_pairs: ClassVar[bool] = True
    needs_images: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `iou` and `dice`."""
        assert comparison.pairs is not None, "only games of pairs come this far"
        counts = torch.zeros(3, dtype=torch.float64)
        for part in comparison.pairs():
            counts += torch.stack(overlap(part.generated > 127, part.target > 127)).double()
        both, made, true = counts.tolist()
        return {"iou": both / max(made + true - both, 1.0), "dice": 2 * both / max(made + true, 1.0)}


def overlap(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return how many entries are true in both of two masks of one shape, in the first and in the second, scalars."""
    return (a & b).sum(), a.sum(), b.sum()
