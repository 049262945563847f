"""How likely the discriminator's features of generated samples are among those of real ones."""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from gan_framework.api import (
    MAIN,
    Comparison,
    ConfigError,
    FeatureSet,
    Game,
    Metric,
    encoded,
    evaluation_mode,
    stop_point,
    try_meeting,
)
from gan_zoo.packs import refuse_packs
from gan_zoo.ranges import require_above_zero

BATCH = 500
"""Samples at a time."""

MOST = 10_000
"""Samples of either side that are looked at."""


class Gaussian(NamedTuple):
    """A normal distribution of vectors (D,), float64, of any size: its covariance is never written down.

    Attributes:
        mean: (D,).
        axes: the directions (K, D), of norm 1, in which the vectors vary.
        variances: along them (K,).
        ridge: added to all variances, the variance in all other directions.
    """

    mean: Tensor
    axes: Tensor
    variances: Tensor
    ridge: float

    @classmethod
    def of(cls, features: Tensor, ridge: float) -> Gaussian:
        """Return the one of the mean and the covariance, plus ridge I, of features (N, D)."""
        features = features.double()
        mean = features.mean(0)
        _, values, axes = torch.linalg.svd((features - mean) / len(features) ** 0.5, full_matrices=False)
        return cls(mean, axes, values.square(), ridge)

    def log_likelihood(self, features: Tensor) -> Tensor:
        """Return the log-likelihoods (N,), in nats, of features (N, D)."""
        off = features.double() - self.mean
        along = (off @ self.axes.T).square()
        beside = (off.square().sum(1) - along.sum(1)).clamp(min=0)
        squares = (along / (self.variances + self.ridge)).sum(1) + beside / self.ridge
        rest = len(self.mean) - len(self.variances)
        log_determinant = (self.variances + self.ridge).log().sum() + rest * math.log(self.ridge)
        return -0.5 * (squares + log_determinant + len(self.mean) * math.log(2 * math.pi))


class EmbeddingLikelihood(Metric):
    """The mean log-likelihood of generated samples under a Gaussian of D's last features of real ones.

    LeGAN, Eghbal-zadeh & Widmer 2017, arXiv 1707.07530. The Gaussian is fitted to the training split; its likelihood of
    the test split, which was not fitted, says what to expect. It compares checkpoints of one run and nothing else: the
    features are those of that run's discriminator, and change while it learns.

    Args:
        ridge: added to the diagonal of the covariance.
        samples: of each split, and of the generated ones, that are looked at.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"embedding_likelihood_gap": False}
    legend: ClassVar[dict[str, str]] = {
        "embedding_likelihood": "mean log-likelihood of D's features of samples under a Gaussian of real ones, in nats",
        "embedding_likelihood_gap": "what test samples have more of it than generated ones, in nats; about 0 is best",
    }
    needs_game: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("train", "test")
    least_real: ClassVar[int] = 2
    samples_kept: ClassVar[int] = MOST

    def __init__(self, ridge: float, samples: int) -> None:
        require_above_zero(ridge=ridge)
        if not 2 <= samples <= MOST:
            raise ConfigError(f"metrics.embedding_likelihood.samples={samples} must lie between 2 and {MOST}")
        self.ridge = ridge
        self.samples = samples

    def check(self, game: Game) -> None:
        """Raise ConfigError if no discriminator judges samples, with their classes at most, by its features."""
        pair = try_meeting(game).get(MAIN)
        network = pair.judged_by_network if pair is not None else None
        vectors = game.data.condition_dim and getattr(game.network(network or "discriminator"), "conditional", False)
        if pair is None or network is None or pair.real_given or vectors:
            raise ConfigError(
                f"metrics.embedding_likelihood asks the judge of the pair {MAIN!r} about samples and their classes, "
                f"and {type(game).__name__} has none, or one that is given more"
            )
        refuse_packs(game, network, "metrics.embedding_likelihood")
        if not game.probe(network).features:
            raise ConfigError(
                f"metrics.embedding_likelihood needs a discriminator's features, and "
                f"{type(game.network(network)).__name__} reports none"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `embedding_likelihood` and `embedding_likelihood_gap`, in nats."""
        game = comparison.game
        assert game is not None
        train, test = (self._features(game, comparison.split(name)) for name in ("train", "test"))
        if len(train) <= train.shape[1]:
            comparison.warnings.append(
                f"embedding_likelihood: a Gaussian of {train.shape[1]} features is fitted to {len(train)} samples, and "
                "ridge decides much of it"
            )
        fitted = Gaussian.of(train, self.ridge)
        generated = float(fitted.log_likelihood(self._features(game, comparison.generated)).mean())
        held_out = float(fitted.log_likelihood(test).mean())
        return {"embedding_likelihood": generated, "embedding_likelihood_gap": held_out - generated}

    def _features(self, game: Game, samples: FeatureSet) -> Tensor:
        judge = game.judge(try_meeting(game)[MAIN].judged_by_network or "discriminator")
        found = []
        with torch.no_grad(), evaluation_mode(game.networks):
            for indices in samples.some(self.samples).split(BATCH):
                stop_point()
                x = encoded(samples.read(indices).to(game.device))
                labels = samples.labels[indices].to(game.device) if samples.labels is not None else None
                found.append(judge(x, labels).features[-1].flatten(1).double().cpu())
        return torch.cat(found)
