"""The log-likelihood of real samples under a kernel density of generated ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, FeatureSet, Metric, stop_point

BLOCK = 500
"""Samples of either side at a time, which bounds the matrix of distances and the float64 copies."""

FEWEST = 2
"""Samples without which there is no standard error."""


def unit(samples: Tensor) -> Tensor:
    """Return samples flat (N, D) in float64: 8-bit values in [0, 1], others as they are."""
    values = samples.flatten(1).double()
    return values / 255 if samples.dtype == torch.uint8 else values


def log_density(queries: Tensor, points: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Return the log densities (S, N), in nats, of queries under means of Gaussians around points, for each sigma.

    log 1/M Σ_j N(x; x_j, σ² I), summed block by block (Breuleux et al. 2011, Neural Computation 23, 2058).

    Args:
        queries: samples (N, ...).
        points: samples (M, ...) of the same kind.
        sigmas: the deviations of the Gaussians (S), positive.
    """
    x = unit(queries)
    deviations = torch.tensor(sigmas, dtype=torch.float64)
    total = x.new_full((len(sigmas), len(x)), -math.inf)
    for block in points.split(BLOCK):
        squares = torch.cdist(x, unit(block)).square()
        for number, sigma in enumerate(sigmas):
            total[number] = torch.logaddexp(total[number], (squares / (-2 * sigma**2)).logsumexp(1))
    constant = math.log(len(points)) + x.shape[1] * (0.5 * math.log(2 * math.pi) + deviations.log())
    return total - constant[:, None]


class Parzen(Metric):
    """Mean log-likelihood of test samples under a Parzen window of generated ones (Goodfellow et al. 2014, section 5).

    A poor measure, kept to compare with published tables: in many dimensions the estimate is far
    from the model's own likelihood, and does not rank models as that does (Theis et al. 2016, arXiv
    1511.01844, section 3.1).
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"parzen": True}
    held_out: ClassVar[str | None] = "train"
    legend: ClassVar[dict[str, str]] = {
        "parzen": "mean log-likelihood of test samples under Gaussians around generated ones, in nats",
        "parzen_sem": "standard error of parzen over the test samples",
        "parzen_sigma": "standard deviation of the Gaussians, chosen on a part of the test split",
    }
    samples_kept: ClassVar[int] = 10_000
    needs_splits: ClassVar[tuple[str, ...]] = ("test",)

    def __init__(self, sigmas: list[float], validation: float) -> None:
        """Choose the grid of deviations, and the share of the test split on which one of them is chosen.

        Raises:
            ConfigError: the grid is empty or holds what is no deviation, or the share is none.
        """
        if not sigmas or not all(sigma > 0 and math.isfinite(sigma) for sigma in sigmas):
            raise ConfigError(f"metrics.parzen.sigmas={sigmas} must be a list of positive numbers")
        if not 0 < validation < 1:
            raise ConfigError(f"metrics.parzen.validation={validation} must lie between 0 and 1")
        self.sigmas = sigmas
        self.validation = validation

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `parzen` in nats, its standard error `parzen_sem`, and the deviation `parzen_sigma`.

        The deviation is the one of the greatest mean log-likelihood on a part of the test split,
        evenly spaced; the other part is scored.

        Raises:
            ConfigError: the test split is too small to be divided.
        """
        generated, test = comparison.generated, comparison.split("test")
        windows = generated.some(self.samples_kept)
        if len(windows) < len(generated.features):
            comparison.warnings.append(
                f"parzen: the windows are around {len(windows)} of {len(generated.features)} samples"
            )
        points = generated.read(windows)
        chosen, scored = self._parts(len(test.features))
        means = _log_densities(test, chosen, points, self.sigmas).mean(1)
        sigma = self.sigmas[int(means.argmax())]
        if len(self.sigmas) > 1 and sigma in (min(self.sigmas), max(self.sigmas)):
            comparison.warnings.append(
                f"parzen: the best deviation is {sigma:g}, at the end of metrics.parzen.sigmas: widen the grid"
            )
        (found,) = _log_densities(test, scored, points, [sigma])
        error = found.std() / math.sqrt(len(found))
        return {"parzen": float(found.mean()), "parzen_sem": float(error), "parzen_sigma": sigma}

    def _parts(self, available: int) -> tuple[Tensor, Tensor]:
        """Return the indices of the samples that choose the deviation, and of those that are scored."""
        count = round(self.validation * available)
        if not FEWEST <= count <= available - FEWEST:
            raise ConfigError(
                f"metrics.parzen.validation={self.validation} takes {count} of the {available} samples of the test "
                f"split: at least {FEWEST} must choose the deviation, and {FEWEST} must be left"
            )
        chooses = torch.zeros(available, dtype=torch.bool)
        chooses[torch.linspace(0, available - 1, count, dtype=torch.float64).round().long()] = True
        return chooses.nonzero()[:, 0], (~chooses).nonzero()[:, 0]


def _log_densities(real: FeatureSet, indices: Tensor, points: Tensor, sigmas: Sequence[float]) -> Tensor:
    blocks = []
    for block in indices.split(BLOCK):
        stop_point()
        blocks.append(log_density(real.read(block), points, sigmas))
    return torch.cat(blocks, dim=1)
