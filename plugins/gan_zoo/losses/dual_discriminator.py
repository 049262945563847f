"""The loss of D2GAN."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, DiscriminatorOutput, SeparableLoss
from gan_zoo.ranges import require_share

LINEAR_BELOW = -30.0
"""Below it log softplus(f) is f to 14 digits, and softplus(f) soon underflows."""


class DualDiscriminator(SeparableLoss):
    """One D scores real samples high, a second one generated samples (Nguyen et al. 2017, arXiv 1709.03831, eq. 1).

    Both are positive, the softplus of a score. At the best answers D₁ = α p/q and D₂ = β q/p, so that G lowers
    α KL(p‖q) + β KL(q‖p). It needs `discriminator=twin`.

    Args:
        alpha: α, the weight of KL(p‖q), which asks for all modes; above 0 and at most 1.
        beta: β, the weight of KL(q‖p), which asks for good samples; above 0 and at most 1.
    """

    def __init__(self, alpha: float, beta: float) -> None:
        super().__init__()
        require_share(alpha=alpha, beta=beta)
        self.alpha = alpha
        self.beta = beta

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return -α E log D₁(x) + E D₂(x)."""
        return F.softplus(second(real)).mean() - self.alpha * log_softplus(real.logits).mean()

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return E D₁(G(z)) - β E log D₂(G(z))."""
        return F.softplus(fake.logits).mean() - self.beta * log_softplus(second(fake)).mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E D₁(G(z)) + β E log D₂(G(z))."""
        return -self.fake_half(fake)


def second(said: DiscriminatorOutput) -> Tensor:
    """Return the second discriminator's logits, as wide as the first one's.

    Raises:
        ConfigError: there is no second one.
    """
    if "second" not in said.heads:
        raise ConfigError(
            "loss=dual_discriminator needs two scores, and this discriminator has one: discriminator=twin"
        )
    return said.heads["second"].to(said.logits.dtype)


def log_softplus(x: Tensor) -> Tensor:
    """Return log log(1 + exp x) of any shape, finite with a finite gradient for all finite x."""
    return torch.where(x < LINEAR_BELOW, x, F.softplus(x.clamp(min=LINEAR_BELOW)).log())
