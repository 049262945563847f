"""The least-squares loss."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import DiscriminatorOutput, SeparableLoss


def half_square(logits: Tensor, target: float) -> Tensor:
    """Return half the mean squared distance of the logits from a target."""
    return 0.5 * (logits - target).square().mean()


class LeastSquares(SeparableLoss):
    """The logits themselves are asked to be 0 or 1 (LSGAN, Mao et al. 2017, arXiv 1611.04076, equation 9).

    Attributes:
        real_target: what D is asked to say of real samples; below 1 for one-sided label smoothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.real_target = 1.0

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return ½ E (D(x) - 1)²."""
        return half_square(real.logits, self.real_target)

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return ½ E D(G(z))²."""
        return half_square(fake.logits, 0.0)

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return ½ E (D(G(z)) - 1)²."""
        return half_square(fake.logits, 1.0)
