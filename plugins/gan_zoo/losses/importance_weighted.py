"""The importance-weighted generator loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import DiscriminatorOutput
from gan_zoo.losses.vanilla import BinaryCrossEntropy


class ImportanceWeighted(BinaryCrossEntropy):
    """Samples that fool D count more (Hu et al. 2017, arXiv 1706.00550, section 4.1).

    The weights are w = D / (1 - D), normalised over the batch and without a gradient. Under several processes each
    normalises over its own part of the batch.
    """

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -Σ w log D(G(z)), where the weights w sum to 1."""
        logits = fake.logits.flatten()
        weights = logits.detach().softmax(0)
        return (weights * F.softplus(-logits)).sum()
