"""The losses of the original game (Goodfellow et al. 2014, arXiv 1406.2661).

All share the discriminator's loss, the binary cross entropy; they differ in what the generator minimises.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import DiscriminatorOutput, SeparableLoss


def cross_entropy(logits: Tensor, target: float) -> Tensor:
    """Return the mean of -target * log D - (1 - target) * log(1 - D), where D = sigmoid(logits)."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def log_one_minus_d(logits: Tensor) -> Tensor:
    """Return the mean of log(1 - D), where D = sigmoid(logits)."""
    return -F.softplus(logits).mean()


class BinaryCrossEntropy(SeparableLoss):
    """The discriminator's loss -E log D(x) - E log(1 - D(G(z))) (section 3, equation 1).

    Attributes:
        real_target: what D is asked to say of real samples; below 1 for one-sided label smoothing.
    """

    probabilistic = True

    def __init__(self) -> None:
        super().__init__()
        self.real_target = 1.0

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return -E log D(x)."""
        return cross_entropy(real.logits, self.real_target)

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return -E log(1 - D(G(z)))."""
        return -log_one_minus_d(fake.logits)


class Minimax(BinaryCrossEntropy):
    """The zero-sum game: the generator minimises E log(1 - D(G(z))) (section 3, equation 1).

    Its gradient vanishes where D is confident.
    """

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return E log(1 - D(G(z)))."""
        return log_one_minus_d(fake.logits)


class NonSaturating(BinaryCrossEntropy):
    """The heuristic everybody trains with: the generator minimises -E log D(G(z)) (section 3, last paragraph)."""

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E log D(G(z))."""
        return F.softplus(-fake.logits).mean()


class MaximumLikelihood(BinaryCrossEntropy):
    """The generator minimises -E exp(logit D(G(z))) = -E D / (1 - D), in expectation a likelihood.

    It is the loss of Goodfellow 2016 (arXiv 1701.00160, section 3.2.4) up to the factor 1/2. Its
    variance is high: the few samples that D takes for real dominate the gradient.
    """

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E exp(logit D(G(z)))."""
        return -fake.logits.exp().mean()
