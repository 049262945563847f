"""The loss of EBGAN."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, DiscriminatorOutput, SeparableLoss


class EnergyMargin(SeparableLoss):
    """D gives real samples a low energy and generated ones at least a margin (Zhao et al. 2017, arXiv 1609.03126).

    The energy is -D, as `discriminator=autoencoder` has it: an error of reconstruction.

    Args:
        margin: m, of an energy; None for one that `margin_adaptation` finds.
    """

    def __init__(self, margin: float | None) -> None:
        super().__init__()
        if margin is not None and not margin > 0:
            raise ValueError(f"margin={margin}: it must be positive, or null with 'strategy=[margin_adaptation]'")
        self.margin = margin

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return the mean energy of real samples."""
        return -real.logits.mean()

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return E max(0, m - energy of G(z)), by sample."""
        if self.margin is None:
            raise ConfigError("loss.margin=null: set a margin, or let 'strategy=[margin_adaptation]' find it")
        return F.relu(self.margin + fake.logits).mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return the mean energy of generated samples."""
        return -fake.logits.mean()
