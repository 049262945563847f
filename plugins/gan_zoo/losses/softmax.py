"""The loss of Softmax GAN."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor

from gan_framework.api import AdversarialLoss, DiscriminatorOutput


class Softmax(AdversarialLoss):
    """The samples of a batch compete for one unit of probability (Lin 2017, arXiv 1704.06191).

    D gives it to the real samples alone, G to all alike. The paper writes energies, μ = -D. Here Z is a mean and not a
    sum, so that the loss does not grow with the batch; its gradient is the same. Under several processes each has a
    competition of its own.
    """

    generator_needs_real = True

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return -E D(x) + ln Z, where Z is the mean of exp D over both batches."""
        return log_z(real, fake) - real.logits.mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -(mean of D over both batches) + ln Z."""
        assert real is not None
        return log_z(real, fake) - both(real, fake).mean()


def both(real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
    """Return the logits of both batches in a line."""
    return torch.cat([real.logits.flatten(), fake.logits.flatten()])


def log_z(real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
    """Return the logarithm of the mean of exp D over both batches."""
    logits = both(real, fake)
    return logits.logsumexp(0) - log(len(logits))
