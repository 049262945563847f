"""The losses of LS-GAN and GLS-GAN."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import AdversarialLoss, DiscriminatorOutput
from gan_zoo.losses.pairing import differences
from gan_zoo.ranges import require_above_zero, require_not_negative, require_probability


class LossSensitive(AdversarialLoss):
    """D keeps real samples apart from generated ones by their distance (Qi 2017, arXiv 1701.06264).

    With the loss function L = -D of a sample and Δ the sum of the absolute differences of a pair, slope 0 is LS-GAN,
    1 is a Wasserstein critic, and what lies between GLS-GAN.

    Args:
        margin: λ, by which Δ is multiplied; samples lie in [-1, 1].
        slope: ν of C(a) = max(a, ν a), in [0, 1].
        real_weight: γ, of the mean L(x) beside the margins; 0 in the authors' program.
        nonnegative: whether L is max(0, -D), as in the authors' program of LS-GAN: where it is 0 nobody is moved, so
            that G is not paid for samples that are better than real ones.
    """

    def __init__(self, margin: float, slope: float, real_weight: float, nonnegative: bool = False) -> None:
        super().__init__()
        require_above_zero(margin=margin)
        require_probability(slope=slope)
        require_not_negative(real_weight=real_weight)
        self.margin = margin
        self.slope = slope
        self.real_weight = real_weight
        self.nonnegative = nonnegative

    def sensitive(self, said: DiscriminatorOutput) -> Tensor:
        """Return L (N,) of samples."""
        return (-said.scores).clamp(min=0) if self.nonnegative else -said.scores

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return γ E L(x) + E C(λ Δ(x, G(z)) + L(x) - L(G(z)))."""
        of_real = self.sensitive(real)
        missing = self.margin * differences(real, fake).sum(1) + of_real - self.sensitive(fake)
        return torch.maximum(missing, self.slope * missing).mean() + self.real_weight * of_real.mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return E L(G(z))."""
        return self.sensitive(fake).mean()
