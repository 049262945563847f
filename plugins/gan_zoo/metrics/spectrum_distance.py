"""Whether images and waves have the frequencies of others."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Metric

SMALLEST = 1e-4
"""A share of the power, below which frequencies count as equally empty."""


class SpectrumDistance(Metric):
    """The mean absolute difference of the logarithms of mean power spectra of generated and real samples, in decibels.

    Each image's or wave's mean is taken out, and spectra are shares of their power.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"spectrum_distance": False}
    legend: ClassVar[dict[str, str]] = {
        "spectrum_distance": "mean difference of the power spectra of generated and real samples in dB; 0 is the same"
    }
    samples_kept: ClassVar[int] = 2_000

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the samples are neither images of 8 bits nor waves."""
        is_wave = len(shape.sample) == 2 and not shape.vocabulary
        if not is_wave and not (shape.is_image and shape.is_8_bit):
            raise ConfigError(
                f"metrics.spectrum_distance needs images of 8 bits or waves (C, T), and the samples are {shape.sample}"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `spectrum_distance`."""
        spectra = []
        for of in (comparison.generated, comparison.real):
            spectra.append(spectrum(of.read(of.some(self.samples_kept))))
        generated, real = spectra
        return {"spectrum_distance": float(10 * (generated / real).log10().abs().mean())}


def spectrum(samples: Tensor) -> Tensor:
    """Return the mean power spectrum (H, W) of images (N, C, H, W), (T,) of waves, as shares with the least cut off."""
    x, along = samples.double(), tuple(range(2, samples.ndim))
    x = x - x.mean(along, keepdim=True)
    power = torch.fft.fftn(x, dim=along).abs().square().mean((0, 1))
    shares: Tensor = power / power.sum().clamp(min=1e-12)
    return shares.clamp(min=SMALLEST)
