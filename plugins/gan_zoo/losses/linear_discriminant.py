"""The loss of linear discriminant GANs."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import AdversarialLoss, DiscriminatorOutput
from gan_zoo.losses.vectors import vectors
from gan_zoo.ranges import require_not_negative


class LinearDiscriminant(AdversarialLoss):
    """D's features are to be told apart by Fisher's linear discriminant (Sun et al. 2017, arXiv 1707.07831).

    With Δ the difference of the means and S the sum of the covariances, D maximises J = Δᵀ (S + ridge I)⁻¹ Δ, and G
    goes along w = (S + ridge I)⁻¹ Δ / ‖·‖, a constant. The smallest form of the paper's idea.

    Args:
        ridge: added to the diagonal.
    """

    generator_needs_real = True
    compares_vectors = True

    def __init__(self, ridge: float) -> None:
        super().__init__()
        require_not_negative(ridge=ridge)
        self.ridge = ridge

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return -J."""
        apart, direction = self._discriminant(real, fake)
        return -(apart @ direction).to(real.logits.dtype)

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E wᵀ Φ(G(z))."""
        assert real is not None
        _, direction = self._discriminant(real, fake)
        direction = torch.nn.functional.normalize(direction.detach(), dim=0)
        return -(vectors("linear_discriminant", fake).double() @ direction).mean().to(fake.logits.dtype)

    def _discriminant(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> tuple[Tensor, Tensor]:
        x, g = (vectors("linear_discriminant", said).double() for said in (real, fake))
        apart = x.mean(0) - g.mean(0)
        within = _covariance(x) + _covariance(g) + self.ridge * torch.eye(x.shape[1], device=x.device, dtype=x.dtype)
        return apart, torch.linalg.solve(within, apart)


def _covariance(batch: Tensor) -> Tensor:
    centred = batch - batch.mean(0)
    return centred.T @ centred / len(batch)
