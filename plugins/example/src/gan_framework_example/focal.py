"""The focal loss."""

from __future__ import annotations

from gan_framework.api import DiscriminatorOutput, SeparableLoss
from torch import Tensor
from torch.nn import functional as F


def focal(logits: Tensor, gamma: float) -> Tensor:
    """Return the mean of -(1 - D)^γ log D, where D = sigmoid(logits)."""
    return (F.sigmoid(-logits).pow(gamma) * F.softplus(-logits)).mean()


class Focal(SeparableLoss):
    """The non-saturating loss, in which samples that D judges rightly count little (Lin et al. 2017, arXiv 1708.02002).

    Args:
        gamma: how little; 0 is the non-saturating loss itself (section 3.2, equation 4).
    """

    def __init__(self, gamma: float) -> None:
        super().__init__()
        if gamma < 0:
            raise ValueError(f"gamma={gamma}: it must not be negative")
        self.gamma = gamma

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return -E (1 - D(x))^γ log D(x)."""
        return focal(real.logits, self.gamma)

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return -E D(G(z))^γ log(1 - D(G(z)))."""
        return focal(-fake.logits, self.gamma)

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E (1 - D(G(z)))^γ log D(G(z))."""
        return focal(fake.logits, self.gamma)
