"""The loss of Fisher GAN."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import AdversarialLoss, DiscriminatorOutput, Meeting, Player
from gan_zoo.augmented_lagrangian import AugmentedLagrangian
from gan_zoo.losses.said import logits_of


class Fisher(AugmentedLagrangian, AdversarialLoss):
    """A critic whose second moment is held at 1 (Mroueh & Sercu 2017, arXiv 1705.09675, Algorithm 1).

    With Ω the mean of E f(x)² and E f(G(z))², the constraint Ω = 1 enters by an augmented Lagrangian, whose
    multiplier λ is a buffer that follows after each update of the critic: λ - ρ (1 - Ω).

    Args:
        rho: ρ, the weight of the penalty and the step of the multiplier.
    """

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return -(E f(x) - E f(G(z))) - λ (1 - Ω) + ½ ρ (Ω - 1)²."""
        distance = real.logits.mean() - fake.logits.mean()
        return self.constrain(second_moment(real.logits, fake.logits)) - distance

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E f(G(z))."""
        return -fake.logits.mean()

    def after_update(self, meeting: Meeting, player: Player) -> None:
        """Move the multiplier after the critic's updates."""
        if player.team == "discriminator":
            sides = zip(logits_of(meeting, "real"), logits_of(meeting, "fake"), strict=True)
            self.follow(torch.stack([second_moment(real, fake) for real, fake in sides]).mean())


def second_moment(real: Tensor, fake: Tensor) -> Tensor:
    """Return Ω, the mean of both sides' mean squared scores."""
    return (real.square().mean() + fake.square().mean()) / 2
