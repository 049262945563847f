"""How alike in structure samples are to what they should be."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Metric
from gan_zoo.metrics.ms_ssim import KERNEL, similarity
from gan_zoo.metrics.pair_bounds import bounds


class SSIM(Metric):
    """The mean structural similarity of samples and what they should be (Wang et al. 2004, section III).

    Windows of 11 by 11 pixels, Gaussian with a deviation of 1.5, lie inside the image; constants are (0.01·255)² and
    (0.03·255)²; colours are compared one by one. Of images that are not of 8 bits the data's `value_range`, or else the
    range of the targets, stands in the place of 0 to 255. It compares with published numbers where these are of the
    same channels: super-resolution papers take the luma alone and cut borders.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"ssim": True}
    legend: ClassVar[dict[str, str]] = {
        "ssim": "mean structural similarity of samples and what they should be, -1 to 1: 1 is equal",
    }
    needs_pairs: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if samples are no images, or smaller than a window."""
        if not shape.is_image:
            raise ConfigError(f"metrics.ssim compares images (C, H, W), and samples are {shape.sample}")
        if min(shape.sample[1:]) < KERNEL:
            raise ConfigError(
                f"metrics.ssim needs images of at least {KERNEL}x{KERNEL} pixels, and these are "
                f"{shape.sample[1]}x{shape.sample[2]}"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `ssim`."""
        assert comparison.pairs is not None, "only games of pairs come this far"
        total, count = 0.0, 0
        low, high = bounds(comparison)
        for part in comparison.pairs():
            total += float(ssim(part.generated.double() - low, part.target.double() - low, high - low).sum())
            count += len(part.target)
        return {"ssim": total / count if count else math.nan}


def ssim(a: Tensor, b: Tensor, largest: float = 255.0) -> Tensor:
    """Return the structural similarities (N,) of images a and b (N, C, H, W) from 0 to `largest`."""
    return similarity(a, b, largest)[0]
