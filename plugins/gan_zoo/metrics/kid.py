"""The kernel distance of features (Bińkowski et al. 2018, arXiv 1801.01401, section 4)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from gan_framework.api import Comparison, ConfigError, Metric

SEED = 2020
"""torch-fidelity's own, so that both draw the same subsets."""


class KID(Metric):
    """Squared maximum mean discrepancy with a cubic kernel, unbiased, mean over random subsets."""

    higher_is_better: ClassVar[dict[str, bool]] = {"kid": False}
    legend: ClassVar[dict[str, str]] = {
        "kid": "squared MMD of the features under a cubic kernel, unbiased: about 0, also below, for real data",
        "kid_std": "standard deviation of kid over random subsets",
    }
    least_real: ClassVar[int] = 2

    def __init__(self, subsets: int, subset_size: int) -> None:
        """Choose the subsets.

        Raises:
            ConfigError: there are none, or they are too small for an unbiased estimate.
        """
        for setting, value, least in (("subsets", subsets, 1), ("subset_size", subset_size, 2)):
            if value < least:
                raise ConfigError(f"metrics.kid.{setting}={value} must be at least {least}")
        self.subsets = subsets
        self.subset_size = subset_size

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `kid` and `kid_std`, with torch-fidelity's kernel and subsets, computed in float64."""
        from torch_fidelity.metric_kid import kernel_mmd

        generated, real = (side.features.numpy() for side in (comparison.generated, comparison.real))
        size = min(self.subset_size, len(generated), len(real))
        if size < self.subset_size:
            comparison.warnings.append(
                f"kid: N={min(len(generated), len(real))} < subset_size={self.subset_size}: subsets of {size} are used"
            )
        random = np.random.RandomState(SEED)
        distances = []
        for _ in range(self.subsets):
            # Subset by subset, so that no float64 copy of all features is ever held.
            subset_generated, subset_real = (
                side[random.choice(len(side), size, replace=False)].astype(np.float64) for side in (generated, real)
            )
            distances.append(kernel_mmd(subset_generated, subset_real))
        return {"kid": float(np.mean(distances)), "kid_std": float(np.std(distances))}
