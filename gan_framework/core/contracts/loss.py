"""The contract of an adversarial loss: from what the discriminator says to two scalars."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

from gan_framework.core.records import DiscriminatorOutput

if TYPE_CHECKING:
    from gan_framework.core.pair import Meeting
    from gan_framework.core.player import Player


class AdversarialLoss(nn.Module, ABC):
    """What the discriminator and the generator minimise; both methods return a scalar.

    Logits are (N,) or (N, ...); losses take means over all of them. State that must survive a resume
    is held in buffers.

    Attributes:
        generator_needs_real: whether `generator` reads `real`; if not, it is given None and the
            generator's update costs no discriminator pass over real data.
        probabilistic: whether sigmoid(logits) is trained to be the probability that a sample is real.
    """

    generator_needs_real: bool = False
    probabilistic: bool = False

    @abstractmethod
    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return the discriminator's loss."""

    @abstractmethod
    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return the generator's loss."""

    def after_update(self, meeting: Meeting, player: Player) -> None:  # noqa: B027 (most losses keep nothing)
        """Adapt what the loss keeps, once after an update of a player that minimises it; see `Term.after_update`."""

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return what a reader wants to see beside the loss, by name; asked when a log line is due."""
        return {}


class SeparableLoss(AdversarialLoss):
    """A loss whose discriminator side is a sum of a real and a generated half.

    Only such a loss lets the two halves be minimised apart, by optimizers of their own.
    """

    @abstractmethod
    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return the part of the discriminator's loss that real samples cause."""

    @abstractmethod
    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return the part of the discriminator's loss that generated samples cause."""

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return the sum of the two halves."""
        return self.real_half(real) + self.fake_half(fake)
