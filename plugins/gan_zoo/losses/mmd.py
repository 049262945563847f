"""Losses that compare the whole batches by a kernel."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import ConfigError, DiscriminatorOutput
from gan_zoo.kernels import KERNELS, squared_mmd
from gan_zoo.losses.vectors import VectorDistance, vectors

ESTIMATORS = ("biased", "unbiased")
LEAST = 1e-12
"""What is rooted at least: at 0 a root has no gradient."""


class MMD(VectorDistance):
    """D maps samples to vectors in which a kernel tells the batches apart, and G brings them together.

    MMD-GAN (Li et al. 2017, arXiv 1705.08584) roots the biased estimator, and keeps D injective by an auto-encoder's
    loss (`discriminator=autoencoder 'term=[reconstruction_error,feasible_set]'`); GAMN (Guo et al. 2017, arXiv
    1709.09820) is the squared one alone.

    Args:
        kernel: `rbf` (a sum of five widths), `rational_quadratic` (of five exponents), `energy` or `linear`.
        estimator: `biased` or `unbiased`.
        rooted: take the root, of the biased estimator alone.
    """

    def __init__(self, kernel: str, estimator: str, rooted: bool) -> None:
        super().__init__()
        if kernel not in KERNELS:
            raise ValueError(f"kernel={kernel!r}: choose one of {', '.join(KERNELS)}")
        if estimator not in ESTIMATORS:
            raise ValueError(f"estimator={estimator!r}: choose {' or '.join(ESTIMATORS)}")
        if rooted and estimator == "unbiased":
            raise ValueError("rooted=true: the unbiased estimator is negative half of the time; set estimator=biased")
        self.kernel = KERNELS[kernel]
        self.unbiased = estimator == "unbiased"
        self.rooted = rooted

    def distance(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return MMD² or MMD.

        Raises:
            ConfigError: a side has too few samples for the unbiased estimator.
        """
        x, y = vectors("mmd", real), vectors("mmd", fake)
        if self.unbiased and min(len(x), len(y)) < 2:
            raise ConfigError("loss.estimator=unbiased needs at least two samples on either side of a batch")
        squared = squared_mmd(self.kernel, x, y, self.unbiased)
        return squared.clamp(min=LEAST).sqrt() if self.rooted else squared
