"""The Fréchet distance of features (Heusel et al. 2017, arXiv 1706.08500, equation 6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from gan_framework.api import Comparison, Metric
from gan_zoo.metrics.frechet import Target, frechet_distance, moments


class FID(Metric):
    """Fréchet distance between Gaussians fitted to the features of real and of generated samples.

    It compares with published numbers where extractor, resizing, number of samples and reference are theirs:
    extractor=inception, 50,000 samples, and the split or the statistics that a paper names.

    Args:
        statistics: an .npz file with the mean `mu` and the covariance `sigma` of reference features, which takes the
            place of the data's own; None for these.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"fid": False}
    legend: ClassVar[dict[str, str]] = {
        "fid": "|m-m'|² + tr(C+C'-2(CC')^½) of the features, 0 or more: 0 is equal means and covariances",
    }
    least_real: ClassVar[int] = 2

    def __init__(self, statistics: Path | None = None) -> None:
        self._target = Target(statistics, "metrics.fid.statistics")

    def settings(self) -> dict[str, Any]:
        """Return the hash of the statistics, if they are given: where they lie does not matter."""
        return self._target.settings()

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `fid`; warn of too few samples."""
        for name, side in (("generated", comparison.generated), ("real", comparison.real)):
            count, dim = side.features.shape
            if count <= dim and not (name == "real" and self._target.digest is not None):
                comparison.warnings.append(
                    f"fid: N={count} <= d={dim} for the {name} samples: their covariance is singular and FID is biased "
                    "upwards; compare it at equal N only, or use kid"
                )
        return {"fid": frechet_distance(moments(comparison.generated.features), self._target(comparison))}
