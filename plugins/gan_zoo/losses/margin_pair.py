"""The margin loss of a stage of GoGAN."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import AdversarialLoss, DiscriminatorOutput
from gan_zoo.ranges import require_above_zero


class MarginPair(AdversarialLoss):
    """A real sample is to score above the generated one of its place (Juefei-Xu et al. 2017, arXiv 1704.04865, MGAN).

    Args:
        margin: ε, by how much.
    """

    def __init__(self, margin: float) -> None:
        super().__init__()
        require_above_zero(margin=margin)
        self.margin = margin

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return E max(0, D(G(z)) + ε - D(x))."""
        return F.relu(fake.logits + self.margin - real.logits).mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E D(G(z))."""
        return -fake.logits.mean()
