"""The loss of GAN-QP."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import AdversarialLoss, DiscriminatorOutput
from gan_zoo.losses.pairing import differences
from gan_zoo.ranges import require_above_zero

DISTANCES = ("l1", "l2")
LEAST = 1e-6
"""The least distance that is divided by: that of a sample from itself is 0."""


class QuadraticPotential(AdversarialLoss):
    """Differences of scores are bounded by a parabola, not by a constraint (Su 2018, arXiv 1811.07296).

    Args:
        distance: of a real and a generated sample, `l1` (the mean absolute difference) or `l2` (the root of the mean
            squared one).
        weight: λ; the best difference of scores is λ times the distance.
    """

    def __init__(self, distance: str, weight: float) -> None:
        super().__init__()
        if distance not in DISTANCES:
            raise ValueError(f"distance={distance!r}: choose {' or '.join(DISTANCES)}")
        require_above_zero(weight=weight)
        self.distance = distance
        self.weight = weight

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return E [-T + T² / (2 λ d)], T = D(x) - D(G(z))."""
        apart = differences(real, fake)
        distance = apart.mean(1) if self.distance == "l1" else apart.square().mean(1).sqrt()
        difference = real.scores - fake.scores
        return (difference.square() / (2 * self.weight * distance.clamp(min=LEAST)) - difference).mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E D(G(z)), which is E T up to what G cannot change."""
        return -fake.scores.mean()
