"""Whether the right image goes on a sequence."""

from __future__ import annotations

from typing import ClassVar

import torch

from gan_framework.api import Comparison, Metric


class DiagramAccuracy(Metric):
    """How often a made image is nearer to the right one than to four others, by pixels; meant for data=diagrams."""

    higher_is_better: ClassVar[dict[str, bool]] = {"diagram_accuracy": True}
    legend: ClassVar[dict[str, str]] = {"diagram_accuracy": "share of right choices among five: 0.2 is chance"}
    needs_pairs: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `diagram_accuracy`."""
        assert comparison.pairs is not None, "only games of pairs come this far"
        right = []
        for part in comparison.pairs():
            distance = (part.extra["choices"].float() - part.generated.float()).square().flatten(2).mean(2)
            right.append(distance.argmin(1) == 0)
        return {"diagram_accuracy": float(torch.cat(right).double().mean())}
