"""How alike samples of one class are (Odena et al. 2017, arXiv 1610.09585, section 4.2)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Comparison, ConfigError, DataShape, Metric
from gan_zoo.metrics.neighbours import classes_of_generated
from gan_zoo.ranges import require_positive

BETAS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""The weights of the scales, finest first (Wang et al. 2003)."""

KERNEL = 11
"""The width of the window, which must fit the coarsest scale."""

SIGMA = 1.5
"""The deviation of the window's weights."""

BATCH = 100


class MSSSIM(Metric):
    """Mean multi-scale structural similarity of pairs of samples of the same class.

    High values mean little diversity; but noise has the lowest, so it ranks nothing: compare it
    with the value of the real images. Images under 176 pixels have fewer than five scales.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {}
    legend: ClassVar[dict[str, str]] = {
        "ms_ssim": "mean similarity of two samples of one class, 0 to 1: above ms_ssim_real is too little diversity",
        "ms_ssim_real": "the same of two real images of one class",
    }
    needs_labels: ClassVar[bool] = True
    needs_images: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 1000

    def __init__(self, pairs: int) -> None:
        """Choose the number of pairs per class.

        Raises:
            ValueError: there are none.
        """
        require_positive(pairs=pairs)
        self.pairs = pairs
        self.windows = "inside the image"  # for the protocol: until version 0.1 they reached over its border

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the images are too small."""
        scales(min(shape.sample[1:]))

    def check_labels(self, labels: Tensor) -> None:
        """Raise ConfigError if no class has two real samples."""
        if labels.bincount().max() < 2:
            raise ConfigError(
                f"metrics.ms_ssim compares samples of one class, and of the {len(labels)} real samples no two are of "
                "one: set evaluate.split, or use more data"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `ms_ssim` and, for real images, `ms_ssim_real`."""
        generated, real = comparison.generated, comparison.real
        assert real.labels is not None
        asked = generated.labels if generated.labels is not None else classes_of_generated(comparison)
        compared = generated.some(self.samples_kept)
        betas = scales(min(comparison.shape.sample[1:]))
        return {
            "ms_ssim": self._mean(lambda chosen: generated.read(compared[chosen]), asked[compared], betas),
            "ms_ssim_real": self._mean(real.read, real.labels, betas),
        }

    def _mean(self, read: Callable[[Tensor], Tensor], labels: Tensor, betas: tuple[float, ...]) -> float:
        first, second = pairs_within_classes(labels, self.pairs)
        if not len(first):
            return math.nan
        batches = zip(first.split(BATCH), second.split(BATCH), strict=True)
        total = sum(float(ms_ssim(read(a).double(), read(b).double(), betas).sum()) for a, b in batches)
        return total / len(first)


def ms_ssim(a: Tensor, b: Tensor, betas: tuple[float, ...], largest: float = 255.0) -> Tensor:
    """Return the multi-scale structural similarity of images a and b (N, C, H, W), each (N,) (Wang et al. 2003).

    As in the authors' program, windows lie inside the image and every scale halves the last by means of four pixels.

    Args:
        a: images from 0 to `largest`.
        b: images from 0 to `largest`.
        betas: the weights of the scales, finest first.
        largest: the largest value of a pixel.
    """
    product = a.new_ones(len(a))
    for scale, beta in enumerate(betas):
        whole, contrast = similarity(a, b, largest)
        last = scale == len(betas) - 1
        product = product * (whole if last else contrast).clamp(min=0) ** beta
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return product


def similarity(a: Tensor, b: Tensor, largest: float) -> tuple[Tensor, Tensor]:
    """Return the structural similarity (N,), and its part that compares contrast and structure (N,)."""
    line = torch.exp(-0.5 * ((torch.arange(KERNEL, dtype=a.dtype) - KERNEL // 2) / SIGMA).square())
    window = torch.outer(line, line)
    window = (window / window.sum()).expand(a.shape[1], 1, KERNEL, KERNEL)

    def mean(x: Tensor) -> Tensor:
        return F.conv2d(x, window, groups=x.shape[1])

    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b = mean(a * a) - mean_a.square(), mean(b * b) - mean_b.square()
    covariance = mean(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * largest) ** 2, (0.03 * largest) ** 2
    contrast = (2 * covariance + c2) / (var_a + var_b + c2)
    brightness = (2 * mean_a * mean_b + c1) / (mean_a.square() + mean_b.square() + c1)
    return (brightness * contrast).flatten(1).mean(1), contrast.flatten(1).mean(1)


def scales(size: int) -> tuple[float, ...]:
    """Return the weights of as many scales as images of a size have, summing to 1.

    Raises:
        ConfigError: the images are too small for one.
    """
    count = sum(size // 2**finer >= KERNEL for finer in range(len(BETAS)))
    if count == 0:
        raise ConfigError(f"metrics.ms_ssim needs images of at least {KERNEL} pixels, not {size}")
    return tuple(beta / sum(BETAS[:count]) for beta in BETAS[:count])


def pairs_within_classes(labels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the indices of `count` random pairs of different samples for every class with at least two."""
    random = torch.Generator().manual_seed(0)
    first, second = [labels.new_empty(0)], [labels.new_empty(0)]
    for label in labels.unique():
        members = (labels == label).nonzero()[:, 0]
        if len(members) < 2:
            continue
        a = torch.randint(len(members), (count,), generator=random)
        step = torch.randint(1, len(members), (count,), generator=random)
        first.append(members[a])
        second.append(members[(a + step) % len(members)])
    return torch.cat(first), torch.cat(second)
