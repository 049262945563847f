"""How much cleaner waves have become."""

from __future__ import annotations

from typing import ClassVar

import torch

from gan_framework.api import Comparison, Metric
from gan_zoo.waves import snr


class SNRGain(Metric):
    """The signal-to-noise ratio of what was made of noisy waves, less that of the noisy ones, beside the clean ones."""

    higher_is_better: ClassVar[dict[str, bool]] = {"snr_gain": True, "snr": True}
    legend: ClassVar[dict[str, str]] = {
        "snr_gain": "dB that the noise is lower by than in what was given, a mean over waves: above 0 is cleaner",
        "snr": "dB of the signal over what is wrong in it, a mean over waves",
    }
    needs_pairs: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `snr_gain` and `snr`."""
        assert comparison.pairs is not None, "only games of pairs come this far"
        before, after = [], []
        for part in comparison.pairs():
            after.append(snr(part.target, part.generated))
            before.append(snr(part.target, part.input))
        made = torch.cat(after)
        return {"snr_gain": float((made - torch.cat(before)).mean()), "snr": float(made.mean())}
