"""The Wasserstein loss."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import DiscriminatorOutput, SeparableLoss


class Wasserstein(SeparableLoss):
    """The critic's estimate of the earth mover's distance (Arjovsky et al. 2017, arXiv 1701.07875, equation 3).

    It is an estimate only while something keeps the critic Lipschitz: weight clipping, a gradient
    penalty or spectral normalisation.
    """

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return -E f(x)."""
        return -real.logits.mean()

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return E f(G(z))."""
        return fake.logits.mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E f(G(z))."""
        return -fake.logits.mean()
