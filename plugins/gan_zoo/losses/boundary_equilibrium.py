"""The loss of BEGAN."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gan_framework.api import AdversarialLoss, DiscriminatorOutput, Meeting, Player, distributed
from gan_zoo.losses.said import logits_of
from gan_zoo.ranges import require_above_zero, require_share


class BoundaryEquilibrium(AdversarialLoss):
    """Energies held in balance by a weight that adapts (Berthelot et al. 2017, arXiv 1703.10717, section 3.4).

    The energy is -D, as `discriminator=autoencoder` has it. After the generator's updates k ← k + λ (γ E(x) - E(G(z))),
    kept in [0, 1], where E(x) is that of the discriminator's last update.

    Args:
        balance: γ, the energy of generated samples for each of real ones; high for diverse samples, low for clean ones.
        rate: λ.
    """

    k: Tensor
    real_energy: Tensor
    fake_energy: Tensor

    def __init__(self, balance: float, rate: float) -> None:
        super().__init__()
        require_share(balance=balance)
        require_above_zero(rate=rate)
        self.balance = balance
        self.rate = rate
        for name in ("k", "real_energy", "fake_energy"):
            self.register_buffer(name, torch.tensor(0.0))

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return E(x) - k E(G(z)), energies."""
        return self.k * fake.logits.mean() - real.logits.mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return E(G(z)), an energy."""
        return -fake.logits.mean()

    def after_update(self, meeting: Meeting, player: Player) -> None:
        """Keep the energy of the real samples, or let k follow that of the generated ones."""
        side = "real" if player.team == "discriminator" else "fake"
        energy = -distributed.mean(torch.stack([said.mean() for said in logits_of(meeting, side)]).mean())
        if side == "real":
            self.real_energy.copy_(energy)
        else:
            self.fake_energy.copy_(energy)
            self.k.add_(self.rate * (self.balance * self.real_energy - energy)).clamp_(0, 1)

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return k, and the paper's measure of convergence E(x) + |γ E(x) - E(G(z))|."""
        imbalance = (self.balance * self.real_energy - self.fake_energy).abs()
        return {"k": self.k, "convergence": self.real_energy + imbalance}
