"""How scores are written: for files to the digits that are theirs, for people to those that say something."""

from __future__ import annotations

import math
from typing import SupportsFloat

DIGITS = 4
"""Significant digits that are shown: fewer than two sample seeds agree in."""

NOTHING = 1e-9
"""What lies nearer to zero is what rounding leaves of it, as the deviation of equal numbers."""


def rounded(value: SupportsFloat) -> float:
    """Return a score to seven digits: matrix roots differ in later ones from run to run on the same machine."""
    return float(f"{float(value):.7g}")


def score(value: float) -> str:
    """Return a score as it is shown: `8`, `88.98`, `1.000`, `0.0714`, `12346`, `3.1e-05`.

    Whole numbers have no decimals and others four significant digits, so that `1.000` is about one and `1` is exactly
    that.
    """
    if not math.isfinite(value):
        return str(value)
    if abs(value) < NOTHING:
        return "0"
    if value == round(value) and abs(value) < 10**7:
        return str(round(value))
    if abs(value) >= 10**DIGITS - 0.5:
        return f"{value:.0f}" if abs(value) < 10**7 else f"{value:.{DIGITS - 1}e}"
    return f"{value:#.{DIGITS}g}".rstrip(".")
