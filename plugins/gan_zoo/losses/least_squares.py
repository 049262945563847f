"""The least-squares loss."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import DiscriminatorOutput, SeparableLoss


def half_square(logits: Tensor, target: float) -> Tensor:
    """Return half the mean squared distance of logits (N, ...) from a target, a scalar."""
    return 0.5 * (logits - target).square().mean()


class LeastSquares(SeparableLoss):
    """The logits themselves are asked to be two numbers (LSGAN, Mao et al. 2017, arXiv 1611.04076, equation 2).

    The targets 0, 1 and 1 are its equation 9; -1, 1 and 0 its equation 8, which minimises Pearson's χ² divergence.

    Args:
        fake_target: a, what D is asked to say of generated samples.
        real_target: b, what D is asked to say of real samples.
        generator_target: c, what G wants D to say of generated samples.

    Attributes:
        real_target: the same; strategies smooth it.
    """

    def __init__(self, fake_target: float, real_target: float, generator_target: float) -> None:
        super().__init__()
        if not fake_target < real_target:
            raise ValueError(f"fake_target={fake_target}, real_target={real_target}: the first must be the lower one")
        if not fake_target < generator_target:
            raise ValueError(f"generator_target={generator_target}: it must lie above fake_target={fake_target}")
        self.fake_target = fake_target
        self.real_target = real_target
        self.generator_target = generator_target

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return ½ E (D(x) - b)²."""
        return half_square(real.logits, self.real_target)

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return ½ E (D(G(z)) - a)²."""
        return half_square(fake.logits, self.fake_target)

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return ½ E (D(G(z)) - c)²."""
        return half_square(fake.logits, self.generator_target)
