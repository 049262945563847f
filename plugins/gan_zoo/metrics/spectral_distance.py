"""How far spectra are from what they should be."""

from __future__ import annotations

from typing import ClassVar

import torch

from gan_framework.api import Comparison, Metric


class SpectralDistance(Metric):
    """The root of the mean square of log-spectra's differences from what they should be, a mean over samples."""

    higher_is_better: ClassVar[dict[str, bool]] = {"spectral_distance": False}
    legend: ClassVar[dict[str, str]] = {
        "spectral_distance": "root mean square of differences from the true spectrum: 0 is right",
        "spectral_distance_unchanged": "the same of what was given, as if nothing were done",
    }
    needs_pairs: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `spectral_distance`, and that of what was given."""
        assert comparison.pairs is not None, "only games of pairs come this far"
        found: list[list[torch.Tensor]] = [[], []]
        for part in comparison.pairs():
            for side, spectra in zip(found, (part.generated, part.input), strict=True):
                side.append((spectra.double() - part.target.double()).square().flatten(1).mean(1).sqrt())
        made, unchanged = (float(torch.cat(side).mean()) for side in found)
        return {"spectral_distance": made, "spectral_distance_unchanged": unchanged}
