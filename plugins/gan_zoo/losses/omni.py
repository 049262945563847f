"""The loss of a discriminator that says at once which class a sample is of and whether it is real."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import DiscriminatorOutput
from gan_zoo.losses.classes import ClassLoss


class Omni(ClassLoss):
    """K + 2 scores: classes, real, generated; some are to be positive (Zhou et al. 2020, arXiv 2011.13074, OmniGAN).

    With P the scores that are to be positive, ℓ(s; P) = log(1 + Σ_i∉P exp(s_i)) + log(1 + Σ_j∈P exp(-s_j)). Of a real
    sample P is its class and `real`, of a generated one `generated`; the generator wants the class asked for and
    `real`. Without weight decay D soon knows its data by heart. The logit that is logged is s_real - s_generated.
    """

    head = "class_real_fake"
    further = 2
    asks_for_classes = True

    def score(self, scores: Tensor) -> Tensor:
        """Return s_real - s_generated."""
        return scores[:, -2] - scores[:, -1]

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return E ℓ(s(x); y and real)."""
        return self._of_class(real)

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return E ℓ(s(G(z)); generated)."""
        scores, _ = self.scores(fake)
        positive = torch.zeros_like(scores, dtype=torch.bool)
        positive[:, -1] = True
        return multi_label(scores, positive).mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return E ℓ(s(G(z)); y and real)."""
        return self._of_class(fake)

    def _of_class(self, said: DiscriminatorOutput) -> Tensor:
        scores, labels = self.scores(said)
        positive = F.one_hot(labels, scores.shape[1]).bool()
        positive[:, -2] = True
        return multi_label(scores, positive).mean()


def multi_label(scores: Tensor, positive: Tensor) -> Tensor:
    """Return ℓ (N,) of scores (N, C), of which those are to be positive that a mask (N, C) has."""
    # The 1 of log(1 + Σ exp) is the exponential of a further score of 0.
    nothing = scores.new_zeros(len(scores), 1)
    down = torch.cat([scores.masked_fill(positive, -float("inf")), nothing], dim=1).logsumexp(1)
    up = torch.cat([(-scores).masked_fill(~positive, -float("inf")), nothing], dim=1).logsumexp(1)
    return down + up
