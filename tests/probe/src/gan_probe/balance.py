"""BEGAN (Berthelot, Schumm and Metz 2017, arXiv 1703.10717): energies balanced by a number that adapts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from gan_framework.api import AdversarialLoss, Discriminator, DiscriminatorOutput, Meeting, Player, distributed


class BEGAN(AdversarialLoss):
    """The judge lowers the energy of real samples and raises, k times, that of generated ones (section 3.4).

    Args:
        balance: γ, the energy of generated samples for each of real ones.
        rate: λ, by which k follows.
    """

    exempt: ClassVar[Mapping[str, str]] = {"pulls_the_right_way": "logits are energies, low for real samples"}

    def __init__(self, balance: float, rate: float) -> None:
        super().__init__()
        self.balance, self.rate = balance, rate
        self.register_buffer("k", torch.tensor(0.0))

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return L(x) - k L(G(z))."""
        return real.logits.mean() - self.k * fake.logits.mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return L(G(z))."""
        return fake.logits.mean()

    def after_update(self, meeting: Meeting, player: Player) -> None:
        """Let k follow γ L(x) - L(G(z)), kept in [0, 1], after the judge's updates."""
        if player.team == "discriminator":
            energy = {side: distributed.mean(logits.mean()) for side, logits in meeting.logits().items()}
            self.k.add_(self.rate * (self.balance * energy["real"] - energy["fake"])).clamp_(0, 1)

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return k."""
        return {"k": self.k}


class EnergyJudge(Discriminator):
    """An auto-encoder of vectors whose logit is the distance |x - D(x)|, a mean over entries.

    Args:
        inputs: the size of a sample.
        hidden: the size of its code.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.encode = nn.Linear(inputs, hidden)
        self.output = nn.Linear(hidden, inputs)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the code (N, hidden)."""
        return (self.encode(x).tanh(),)

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Return the energies (N,) of samples x."""
        features = self.features(x)
        return DiscriminatorOutput((self.output(features[-1]) - x).abs().mean(1), features)
