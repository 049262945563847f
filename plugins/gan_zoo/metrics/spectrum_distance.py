"""Whether images have the frequencies of others."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, Metric

SMALLEST = 1e-4
"""A share of the power, below which frequencies count as equally empty."""


class SpectrumDistance(Metric):
    """The mean absolute difference of the logarithms of mean power spectra of generated and real images, in decibels.

    Each image's mean is taken out, and spectra are shares of their power.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"spectrum_distance": False}
    legend: ClassVar[dict[str, str]] = {
        "spectrum_distance": "mean difference of the power spectra of generated and real images in dB; 0 is the same"
    }
    needs_images: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 2_000

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `spectrum_distance`."""
        spectra = []
        for of in (comparison.generated, comparison.real):
            spectra.append(spectrum(of.read(torch.arange(min(len(of.features), self.samples_kept)))))
        generated, real = spectra
        return {"spectrum_distance": float(10 * (generated / real).log10().abs().mean())}


def spectrum(images: Tensor) -> Tensor:
    """Return the mean power spectrum (H, W) of images (N, C, H, W), as shares with the smallest cut off."""
    x = images.double()
    x = x - x.mean((2, 3), keepdim=True)
    power = torch.fft.fft2(x).abs().square().mean((0, 1))
    shares: Tensor = power / power.sum().clamp(min=1e-12)
    return shares.clamp(min=SMALLEST)
