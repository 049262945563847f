"""The FID within classes (Miyato & Koyama 2018, arXiv 1802.05637, section 4)."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Game, Metric, stop_point
from gan_zoo.metrics.frechet import frechet_distance, moments

LEAST = 2
"""Samples of a class that have a covariance."""


class IntraFID(Metric):
    """The mean over classes of the FID between samples asked for a class and real samples of that class.

    A conditional model that ignores its classes has a good FID and a bad one of these. It compares with published
    numbers where extractor, data and samples for each class (5,000 in the paper) are theirs.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"intra_fid": False}
    legend: ClassVar[dict[str, str]] = {
        "intra_fid": "mean over classes of the fid between samples asked for a class and real ones of it, 0 or more",
    }
    needs_labels: ClassVar[bool] = True
    needs_game: ClassVar[bool] = True
    labels_suffice: ClassVar[bool] = True
    least_real: ClassVar[int] = LEAST

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game is not asked for classes."""
        if not game.conditional or game.data.condition_dim:
            raise ConfigError(
                f"metrics.intra_fid has no effect on {type(game.generator).__name__}, which is asked for no classes; "
                "it goes with conditional models (cgan_mlp, dcgan_conditional, acgan), and metrics.fid with all"
            )

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if there are fewer than two samples for each class."""
        if generated < LEAST * shape.num_classes:
            raise ConfigError(
                f"metrics.intra_fid of {shape.num_classes} classes needs at least {LEAST * shape.num_classes} samples "
                f"(evaluate.samples), and better a hundred for each class; there are {generated}"
            )

    def check_labels(self, labels: Tensor) -> None:
        """Raise ConfigError if a class that occurs has a single real sample."""
        alone = (labels.bincount() == 1).nonzero()[:, 0].tolist()
        if alone:
            raise ConfigError(
                f"metrics.intra_fid needs {LEAST} real samples of every class, and there is one of class "
                f"{', '.join(map(str, alone))}: use evaluate.reference=null, or more data"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `intra_fid`; NaN, with a warning, if chance has asked for fewer than two samples of a class.

        Raises:
            ConfigError: it is not known what the samples were asked for.
        """
        generated, real = comparison.generated, comparison.real
        if generated.labels is None:
            raise ConfigError("metrics.intra_fid: it is not known which classes these samples were asked for")
        assert real.labels is not None
        classes = real.labels.unique()
        counts = generated.labels.bincount(minlength=comparison.shape.num_classes)[classes]
        if counts.min() < LEAST:
            comparison.warnings.append(
                f"intra_fid needs {LEAST} samples of every class, and of some only {int(counts.min())} was asked for: "
                "set evaluate.samples higher"
            )
            return {"intra_fid": math.nan}
        found = []
        for label in classes:
            stop_point()
            sides = (side.features[side.labels == label] for side in (generated, real) if side.labels is not None)
            found.append(frechet_distance(*map(moments, sides)))
        fewest, dim = int(counts.min()), generated.features.shape[1]
        if fewest <= dim:
            comparison.warnings.append(
                f"intra_fid: N={fewest} <= d={dim} for the samples of a class: it is biased upwards; compare it at "
                "equal N only"
            )
        return {"intra_fid": float(torch.tensor(found, dtype=torch.float64).mean())}
