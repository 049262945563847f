"""Minibatch discrimination."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import cast

import torch
from torch import Tensor, nn

from gan_framework.api import (
    BeforeFirstStep,
    ConfigError,
    Discriminator,
    Game,
    NextBatch,
    Strategy,
    distributed,
    try_meeting,
)
from gan_zoo.batch_statistic import choose_critics, penultimate_size, see_batch
from gan_zoo.ranges import require_positive


def distances(m: Tensor) -> Tensor:
    """Return ‖M_ib - M_jb‖_1 for matrices M (N, B, C), as (N, N, B)."""
    if m.device.type == "cpu":  # where it takes half the time; on a GPU its gradient is not the same twice
        by_measure = m.transpose(0, 1)
        return torch.cdist(by_measure, by_measure, p=1).permute(1, 2, 0)
    # One dimension at a time takes half the time of (N, N, B, C) at once.
    return reduce(add, ((entry[:, None] - entry[None, :]).abs() for entry in m.unbind(dim=2)))


def closeness(m: Tensor) -> Tensor:
    """Return o(x_i)_b = Σ_j exp(-‖M_ib - M_jb‖_1) for matrices M (N, B, C), as (N, B)."""
    return torch.exp(-distances(m)).sum(dim=1)


class Closeness(nn.Module):
    """How close each sample is to the rest of its batch, by B learned measures (section 3.2).

    Args:
        inputs: the size A of the features f(x).
        kernels: the number B of measures.
        kernel_dim: the number C of dimensions that each compares.
        normalise: whether o is divided by its sum over all samples and measures.
    """

    def __init__(self, inputs: int, kernels: int, kernel_dim: int, normalise: bool = False) -> None:
        super().__init__()
        self.normalise = normalise
        self.tensor = nn.Parameter(torch.empty(inputs, kernels, kernel_dim))
        nn.init.normal_(self.tensor, std=0.05)
        self.register_buffer("scale", torch.ones(kernels, 1))

    scale: Tensor

    def forward(self, features: Tensor) -> Tensor:
        """Map features f (N, A) to o (N, B)."""
        o = closeness(self.matrices(features))
        return o / o.sum() if self.normalise else o

    def matrices(self, features: Tensor) -> Tensor:
        """Map features f (N, A) to M (N, B, C), M_i = f(x_i) T; T is what is learned, scaled for each of the B."""
        m: Tensor = (features @ (self.tensor * self.scale).flatten(1)).unflatten(1, self.tensor.shape[1:])
        # Differences of half-precision numbers would be too coarse to be summed.
        return m.to(self.tensor.dtype)

    @torch.no_grad()
    def calibrate(self, features: Tensor) -> None:
        """Choose the scale so that, for features f (N, A) of N > 1 samples, nearest neighbours are 2 apart on average.

        Much further apart and no gradient is left; much closer and every sample looks like a collapse. The average is
        over all processes, of neighbours in the part of the batch that each of them has.
        """
        distance = distances(self.matrices(features))
        itself = torch.eye(len(features), dtype=torch.bool, device=features.device)
        nearest = distance.masked_fill(itself[..., None], torch.inf).amin(dim=1)
        self.scale.mul_(2 / distributed.mean(nearest.mean(dim=0)).clamp(min=1e-6)[:, None])


class Calibration(BeforeFirstStep):
    """The closeness is calibrated on the first real samples drawn, as the authors' code does.

    Args:
        discriminator: the name of the discriminator that sees it.
        closeness: what is calibrated.
    """

    def __init__(self, discriminator: str, closeness: Closeness) -> None:
        super().__init__()
        self._discriminator = discriminator
        # Kept in a tuple: it belongs to the discriminator, and must not be registered twice.
        self._closeness = (closeness,)

    def play(self, game: Game, next_batch: NextBatch) -> None:
        """Draw a batch and calibrate.

        Raises:
            ConfigError: the batch has one sample, which has no neighbours.
        """
        batch = next_batch()
        if len(batch.samples) < 2:
            raise ConfigError("minibatch_discrimination compares the samples of a batch: set train.batch_size above 1")
        pair = next(p for p in try_meeting(game, batch).values() if p.judged_by_network == self._discriminator)
        discriminator = cast(Discriminator, game.network(self._discriminator))
        with torch.no_grad():
            features = discriminator.features(pair.real, pair.real_labels, *pair.real_given)[-1].flatten(1)
        self._closeness[0].calibrate(features)


class MinibatchDiscrimination(Strategy):
    """D sees how close samples are to each other, so G cannot collapse unseen (Salimans et al. 2016, section 3.2).

    arXiv 1606.03498. The closeness o(x) is concatenated to the penultimate features f(x) before the
    discriminator's last layer.

    Args:
        networks: the discriminators; all if null.
        kernels: the number B of measures of closeness.
        kernel_dim: the number C of dimensions that each compares.
        normalise: whether o is divided by its sum over all samples and measures, as in the program of DeLiGAN.
    """

    def __init__(self, networks: list[str] | None, kernels: int, kernel_dim: int, normalise: bool = False) -> None:
        require_positive(kernels=kernels, kernel_dim=kernel_dim)
        self.networks = networks
        self.kernels = kernels
        self.kernel_dim = kernel_dim
        self.normalise = normalise

    def apply(self, game: Game) -> None:
        """Widen the last layer of the discriminators."""
        for name in choose_critics(game, self.networks, "minibatch_discrimination"):
            statistic = Closeness(penultimate_size(game, name), self.kernels, self.kernel_dim, self.normalise)
            discriminator = cast(Discriminator, game.network(name))
            see_batch(discriminator, statistic, self.kernels, "minibatch_discrimination")
            game.openings.append(Calibration(name, statistic))
