"""A loss on the mean and the spread of scores."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import DiscriminatorOutput, SeparableLoss
from gan_zoo.ranges import require_above_zero


class ScoreMoments(SeparableLoss):
    """D's scores are to be spread alike around 1 on real and -1 on generated samples (Grewal et al. 2017).

    Variance Regularizing Adversarial Learning, arXiv 1707.00309, where two further networks compare the scores with
    draws of the two Gaussians; here the moments are compared, the smallest form of that idea.

    Args:
        std: the deviation of the scores that is aimed at.
    """

    def __init__(self, std: float) -> None:
        super().__init__()
        require_above_zero(std=std)
        self.std = std

    def _off(self, scores: Tensor, target: float) -> Tensor:
        spread = (scores.var(correction=0) + 1e-12).sqrt()  # where all scores are equal a root has no gradient
        return (scores.mean() - target).square() + (spread - self.std).square()

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return the squared distances of mean and deviation from 1 and std."""
        return self._off(real.logits, 1.0)

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return the squared distances of mean and deviation from -1 and std."""
        return self._off(fake.logits, -1.0)

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return the squared distances of mean and deviation from those asked of real samples."""
        return self._off(fake.logits, 1.0)
