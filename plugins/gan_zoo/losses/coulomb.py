"""The loss of Coulomb GANs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import AdversarialLoss, DiscriminatorOutput, Meeting, Player, distributed
from gan_zoo.kernels import squared_distances, squared_mmd
from gan_zoo.ranges import require_above_zero


class Coulomb(AdversarialLoss):
    """Real samples attract generated ones, which repel each other; D learns the field (Unterthiner et al. 2018).

    Coulomb GANs, arXiv 1708.08819, section 2. The potential is measured on the batch, so that its size matters.

    Args:
        dimension: d of the Plummer kernel (‖a - b‖² + ε²)^-(d-2)/2, at least 3.
        epsilon: its ε.
    """

    exempt: ClassVar[Mapping[str, str]] = {
        "pulls_the_right_way": "D's scores follow the field of the samples, whichever side they are of"
    }

    energy: Tensor

    def __init__(self, dimension: int, epsilon: float) -> None:
        super().__init__()
        if dimension < 3:
            raise ValueError(f"dimension={dimension}: it must be at least 3")
        require_above_zero(epsilon=epsilon)
        self.dimension = dimension
        self.epsilon = epsilon
        self.register_buffer("energy", torch.tensor(0.0), persistent=False)

    def potentials(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return Φ at real samples x (N, D) and at generated ones g (M, D): E k(., x) - E k(., g), (N,) and (M,)."""
        between = self._kernel(real, fake)
        return (
            self._kernel(real, real).mean(1) - between.mean(1),
            between.mean(0) - self._kernel(fake, fake).mean(1),
        )

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return E (D(x) - Φ(x))² + E (D(G(z)) - Φ(G(z)))²."""
        assert real.samples is not None and fake.samples is not None
        x, g = (samples.detach().flatten(1) for samples in (real.samples, fake.samples))
        at_real, at_fake = self.potentials(x, g)
        return (real.scores - at_real).square().mean() + (fake.scores - at_fake).square().mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E D(G(z))."""
        return -fake.scores.mean()

    def field_energy(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return half the energy that is left in the field of samples (N, D), 0 where both sides are alike."""
        return squared_mmd(self._kernel, real, fake, unbiased=False) / 2

    def after_update(self, meeting: Meeting, player: Player) -> None:
        """Measure what is left of the field after the discriminator's updates."""
        if player.team == "discriminator":
            sides = ((pair.real.flatten(1), pair.fake.flatten(1)) for pair in meeting.values())
            self.energy.copy_(distributed.mean(torch.stack([self.field_energy(*both) for both in sides]).mean()))

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return the energy of the field, which G is to bring to 0."""
        return {"field_energy": self.energy}

    def _kernel(self, a: Tensor, b: Tensor) -> Tensor:
        raised: Tensor = (squared_distances(a, b) + self.epsilon**2) ** (-(self.dimension - 2) / 2)
        return raised
