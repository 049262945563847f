"""The hinge loss of a discriminator for which generated samples are one more class."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, DiscriminatorOutput
from gan_zoo.losses.class_softmax import real_against_fake
from gan_zoo.losses.classes import ClassLoss
from gan_zoo.ranges import require_not_negative


class MultiHinge(ClassLoss):
    """h(s, t) = max(0, 1 + max_j≠t s_j - s_t) of K + 1 scores (Kavalerov et al. 2019, arXiv 1912.04216, MHGAN).

    D minimises h of real samples with their class and of generated ones with K + 1; the generator a share of h with the
    class asked for, and the mean difference of D's last features' means. The logit that is logged is log Σ_k≤K exp(s_k)
    - s_K+1.

    Args:
        classes: the share of the generator's hinge.
        matching: the weight of its matching of features; 0 for none.
    """

    head = "class_and_fake"
    further = 1
    asks_for_classes = True

    def __init__(self, classes: float, matching: float) -> None:
        super().__init__()
        require_not_negative(classes=classes, matching=matching)
        if not classes and not matching:
            raise ValueError("classes=0, matching=0: the generator has nothing to minimise")
        self.classes = classes
        self.matching = matching
        self.generator_needs_real = matching > 0

    def score(self, scores: Tensor) -> Tensor:
        """Return log Σ_k≤K exp(s_k) - s_K+1 (N,) of scores (N, K + 1)."""
        return real_against_fake(scores)

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return E h(s(x), y)."""
        return crammer_singer(*self.scores(real)).mean()

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return E h(s(G(z)), K + 1)."""
        scores, labels = self.scores(fake)
        return crammer_singer(scores, scores.shape[1] - 1 + 0 * labels).mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return classes · E h(s(G(z)), y) + matching · mean |E φ(x) - E φ(G(z))|."""
        loss = self.classes * crammer_singer(*self.scores(fake)).mean()
        if real is None:
            return loss
        if not fake.features:
            raise ConfigError("loss.matching compares a discriminator's inner features, and this one reports none")
        means = [said.features[-1].to(loss.dtype).flatten(1).mean(0) for said in (real, fake)]
        return loss + self.matching * F.l1_loss(means[1], means[0])


def crammer_singer(scores: Tensor, targets: Tensor) -> Tensor:
    """Return max(0, 1 + max_j≠t s_j - s_t) of each sample (N,), of scores (N, C) and right ones t (N,)."""
    right = scores.gather(1, targets[:, None])
    others = scores.scatter(1, targets[:, None], -float("inf")).amax(1)
    return F.relu(1 + others - right.squeeze(1))
