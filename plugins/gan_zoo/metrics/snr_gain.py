"""How much cleaner waves have become."""

from __future__ import annotations

from typing import ClassVar

import torch

from gan_framework.api import Comparison, Metric
from gan_zoo.ranges import require_below_one
from gan_zoo.waves import deemphasised, snr


class SNRGain(Metric):
    """The signal-to-noise ratio of what was made of noisy waves, less that of the noisy ones, beside the clean ones.

    Args:
        emphasis: of high frequencies in the data, which is undone before.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"snr_gain": True, "snr": True}
    legend: ClassVar[dict[str, str]] = {
        "snr_gain": "dB that the noise is lower by than in what was given, a mean over waves: above 0 is cleaner",
        "snr": "dB of the signal over what is wrong in it, a mean over waves",
    }
    needs_pairs: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000

    def __init__(self, emphasis: float) -> None:
        require_below_one(emphasis=emphasis)
        self.emphasis = emphasis

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `snr_gain` and `snr`."""
        assert comparison.pairs is not None, "only games of pairs come this far"
        before, after = [], []
        for part in comparison.pairs():
            clean, made, noisy = (
                deemphasised(wave.double(), self.emphasis) for wave in (part.target, part.generated, part.input)
            )
            after.append(snr(clean, made))
            before.append(snr(clean, noisy))
        found = torch.cat(after)
        return {"snr_gain": float((found - torch.cat(before)).mean()), "snr": float(found.mean())}
