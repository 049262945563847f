"""Which values are black and white in what samples should be."""

from __future__ import annotations

import math

import torch

from gan_framework.api import Comparison


def bounds(comparison: Comparison) -> tuple[float, float]:
    """Return the least and the greatest value that targets can have: one range for all pairs that are compared.

    0 and 255 of 8 bits, else the data's `value_range`; where that has no bounds, those of all targets, or of a range of
    1 where these are one value.
    """
    assert comparison.pairs is not None, "only games of pairs come this far"
    known = comparison.shape.value_range
    low, high = math.inf, -math.inf
    for part in comparison.pairs():
        if part.target.dtype == torch.uint8:
            return 0.0, 255.0
        if known is not None and all(map(math.isfinite, known)):
            return known
        least, greatest = (float(value) for value in part.target.aminmax())
        low, high = min(low, least), max(high, greatest)
    return (low, high) if low < high else (low, low + 1.0)
