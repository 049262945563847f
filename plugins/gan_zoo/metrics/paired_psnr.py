"""How far samples are from what they should be, in decibels."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, Metric
from gan_zoo.metrics.pair_bounds import bounds

LEAST = 1e-10
"""The least mean square error, as a share of the squared range: equal images have 100 dB."""


class PSNR(Metric):
    """The mean peak signal-to-noise ratio of samples and what they should be, 10 log₁₀(range² / MSE) of each pair.

    The range of 8-bit samples is 255, of others that of the data's `value_range`, or else of all targets. Beside it
    stand the mean absolute error, as a share of the range, and the ratio of the inputs themselves where they have the
    shape of the targets: what a model that changes nothing would score.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"psnr": True, "absolute_error": False}
    legend: ClassVar[dict[str, str]] = {
        "psnr": "peak signal-to-noise ratio of samples and what they should be, in dB: more is nearer",
        "absolute_error": "mean absolute difference of samples and what they should be, 0 to 1",
        "psnr_input": "the ratio of the inputs as they are: what a model that changes nothing scores",
    }
    needs_pairs: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `psnr`, `absolute_error`, and `psnr_input` where inputs can be compared with targets."""
        assert comparison.pairs is not None, "only games of pairs come this far"
        totals: dict[str, float] = {}
        count = 0
        low, high = bounds(comparison)
        span = high - low
        for part in comparison.pairs():
            generated, target = part.generated.double(), part.target.double()
            found = {
                "psnr": psnr(generated, target, span).sum(),
                "absolute_error": ((generated - target).abs() / span).flatten(1).mean(1).sum(),
            }
            if part.input.shape == part.target.shape and part.input.dtype == part.target.dtype:
                found["psnr_input"] = psnr(part.input.double(), target, span).sum()
            count += len(target)
            for name, value in found.items():
                totals[name] = totals.get(name, 0.0) + float(value)
        return {name: total / count for name, total in totals.items()} if count else {"psnr": math.nan}


def psnr(a: Tensor, b: Tensor, span: float) -> Tensor:
    """Return the peak signal-to-noise ratios (N,) in dB of a and b (N, ...), whose values span so much."""
    error = (a - b).square().flatten(1).mean(1) / span**2
    return -10 * torch.log10(error.clamp(min=LEAST))
