"""What can be learnt from images that were made of others of which everything is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, Game, Metric

RIDGE = 1e-2


class LabelTransfer(Metric):
    """The error on real images of a regression learnt from generated images and what is known of their inputs.

    Kernel ridge regression (Gaussian kernel, its width the median distance) from pixels to an extra of the inputs; one
    half of the pairs is learnt from, the other is what it is tried on, as the targets: the same scenes in the other
    domain. Beside it stand the errors of the same regression learnt from the inputs as they are, and from targets:
    what refining should beat, and what it can reach. The error is the root mean square, divided by the deviation of
    what is to be found; or, for an extra of zeros and ones, the share of wrong ones.

    Args:
        extra: of the inputs, what is to be found: `angles`, `bits`.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"transfer_error": False}
    legend: ClassVar[dict[str, str]] = {
        "transfer_error": "error on real images of a regression learnt from generated ones; 0 is perfect",
        "transfer_error_input": "the same, learnt from the inputs as they are",
        "transfer_error_target": "the same, learnt from real images",
    }
    exempt: ClassVar[Mapping[str, str]] = {"scores": "it reads an extra of the inputs, and the suite's pairs have none"}
    needs_pairs: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 2_000

    def __init__(self, extra: str) -> None:
        self.extra = extra

    def check(self, game: Game) -> None:
        """Raise ConfigError if the inputs have no such extra."""
        of = game.data.others.get(str(game.generates_from), game.data)
        if self.extra not in of.extra:
            found = ", ".join(of.extra) or "none"
            raise ConfigError(f"metrics.label_transfer.extra={self.extra}: the inputs' extras are {found}")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return the three errors."""
        assert comparison.pairs is not None, "only games of pairs come this far"
        parts = list(comparison.pairs())
        labels = torch.cat([part.extra[self.extra].flatten(1) for part in parts]).double()
        half = len(labels) // 2
        if half < 2:
            raise ConfigError("metrics.label_transfer needs at least 4 pairs: raise evaluate.samples")
        target = torch.cat([part.target for part in parts])
        found = {}
        for name in ("generated", "input", "target"):
            x = torch.cat([getattr(part, name) for part in parts])
            if x.shape == target.shape:
                predicted = regression(flat(x[:half]), labels[:half], flat(target[half:]))
                found[name] = error(predicted, labels[half:])
        names = {"generated": "transfer_error", "input": "transfer_error_input", "target": "transfer_error_target"}
        return {names[name]: value for name, value in found.items()}


def flat(x: Tensor) -> Tensor:
    """Return samples (N, ...) as (N, D), float64, 8-bit ones in [0, 1]."""
    return x.flatten(1).double() / (255 if x.dtype == torch.uint8 else 1)


def regression(x: Tensor, y: Tensor, at: Tensor) -> Tensor:
    """Return what kernel ridge regression of y (N, K) on x (N, D) says at other points (M, K)."""
    between = torch.cdist(x, x)
    width = between[between > 0].median() if bool((between > 0).any()) else between.new_ones(())
    kernel = torch.exp(-0.5 * (between / width).square())
    mean = y.mean(0)
    weights = torch.linalg.solve(kernel + RIDGE * torch.eye(len(x), dtype=x.dtype), y - mean)
    said: Tensor = torch.exp(-0.5 * (torch.cdist(at, x) / width).square()) @ weights + mean
    return said


def error(predicted: Tensor, truth: Tensor) -> float:
    """Return the share of wrong ones where the truth is 0 or 1, else the root mean square by the deviation."""
    if bool(((truth == 0) | (truth == 1)).all()):
        return float(((predicted > 0.5) != (truth > 0.5)).double().mean())
    return float((predicted - truth).square().mean().sqrt() / truth.std(correction=0).clamp(min=1e-12))
