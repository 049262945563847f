"""Whether a steganalyser that is trained anew finds messages in what a model makes."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, Metric, seeding
from gan_zoo.lsb import embed
from gan_zoo.ranges import require_share

LARGEST = 3
"""Differences of neighbouring pixels are counted from -3 to 3."""

RIDGE = 1e-3


class DetectionAccuracy(Metric):
    """The accuracy of a fresh steganalyser on generated images with and without a message: ½ is the best for them.

    It reads how often which differences of neighbouring pixels follow each other, down and across (Pevný et al. 2010,
    as SPAM does), and is a ridged linear classifier of these counts; one half of the images trains it, the other tests
    it. Beside it stands its accuracy on real images.

    Args:
        rate: bits for each pixel.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"detection_accuracy": False}
    legend: ClassVar[dict[str, str]] = {
        "detection_accuracy": "accuracy of a fresh steganalyser on generated images, ½ if it finds nothing, to 1",
        "detection_accuracy_real": "the same on real images",
    }
    needs_images: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 1_000

    def __init__(self, rate: float) -> None:
        require_share(rate=rate)
        self.rate = rate

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return both accuracies."""
        found = {}
        for name, of in (("", comparison.generated), ("_real", comparison.real)):
            images = of.read(of.some(self.samples_kept))
            found[f"detection_accuracy{name}"] = accuracy(images, self.rate)
        return found


def accuracy(images: Tensor, rate: float) -> float:
    """Return the accuracy on one half of images (N, C, H, W) uint8 of a classifier trained on the other half."""
    x = images.float() / 127.5 - 1
    stego = embed(x, rate, seeding.generator(0, "messages", len(x)))
    counts = torch.stack([cooccurrences(of) for of in (stego.cover, stego.image)])  # (2, N, D)
    half = counts.shape[1] // 2
    train, test = counts[:, :half].flatten(0, 1), counts[:, half:].flatten(0, 1)
    mean, deviation = train.mean(0), train.std(0).clamp(min=1e-6)
    train, test = (train - mean) / deviation, (test - mean) / deviation
    told = torch.tensor([-1.0, 1.0], dtype=train.dtype)
    gram = train.T @ train + RIDGE * len(train) * torch.eye(train.shape[1], dtype=train.dtype)
    weights = torch.linalg.solve(gram, train.T @ told.repeat_interleave(half))
    right = (test @ weights > 0) == (told > 0).repeat_interleave(counts.shape[1] - half)
    return float(right.double().mean())


def cooccurrences(x: Tensor) -> Tensor:
    """Return for each image (N, C, H, W) in [-1, 1] the shares (N, 98) of pairs of successive differences."""
    levels = ((x + 1) * 127.5).round().long()
    found = []
    for down in (False, True):
        lines = levels.transpose(2, 3) if down else levels
        steps = (lines[..., 1:] - lines[..., :-1]).clamp(-LARGEST, LARGEST) + LARGEST
        kinds = 2 * LARGEST + 1
        code = steps[..., 1:] * kinds + steps[..., :-1]
        numbered = code.flatten(1) + kinds**2 * torch.arange(len(x))[:, None]
        counts = torch.bincount(numbered.flatten(), minlength=len(x) * kinds**2).view(len(x), -1)
        found.append(counts.double() / counts.sum(1, keepdim=True))
    return torch.cat(found, dim=1)
