"""The relativistic loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import AdversarialLoss, DiscriminatorOutput


def less_real(logits: Tensor, than: Tensor) -> Tensor:
    """Return the mean of -log sigmoid(logits - than): large where a sample looks less real than its partner."""
    return F.softplus(than - logits).mean()


class Relativistic(AdversarialLoss):
    """Each real sample is compared with a generated one (Jolicoeur-Martineau 2018, arXiv 1807.00734, section 4.1).

    It is the paired loss that R3GAN takes up (Huang et al. 2024, arXiv 2501.05441, equation 2), with
    f(t) = -log(1 + exp(-t)).
    """

    generator_needs_real = True

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return -E log sigmoid(D(x) - D(G(z)))."""
        return less_real(real.logits, fake.logits)

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E log sigmoid(D(G(z)) - D(x))."""
        assert real is not None
        return less_real(fake.logits, real.logits)
