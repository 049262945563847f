"""The loss of a discriminator for which generated samples are one more class."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import DiscriminatorOutput
from gan_zoo.losses.classes import ClassLoss

GENERATORS = ("dynamic", "predefined", "label")


class ClassSoftmax(ClassLoss):
    """K + 1 logits s, one of each class and the last of generated samples (Zhou et al. 2018, arXiv 1703.02000, AM-GAN).

    D minimises cross entropies, of real samples with their class y and of generated ones with K + 1. The generator
    minimises that with a class t, for `dynamic` the one that D takes the sample for, for `predefined` the one asked
    for; for `label` -E log Σ_k≤K softmax(s)_k, LabelGAN's (Salimans et al. 2016, arXiv 1606.03498). The logit is
    log Σ_k≤K exp(s_k) - s_K+1, of which D = σ(logit) is the probability of a real sample. The smoothing of labels that
    the paper mentions is left out.

    Args:
        generator: `dynamic`, `predefined` or `label`.
    """

    head = "class_and_fake"
    further = 1
    probabilistic = True

    def __init__(self, generator: str) -> None:
        super().__init__()
        if generator not in GENERATORS:
            raise ValueError(f"generator={generator!r}: choose one of {', '.join(GENERATORS)}")
        self.form = generator
        self.asks_for_classes = generator == "predefined"

    def score(self, scores: Tensor) -> Tensor:
        """Return log Σ_k≤K exp(s_k) - s_K+1 (N,) of scores (N, K + 1)."""
        return real_against_fake(scores)

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return E CE(s(x), y)."""
        scores, labels = self.scores(real)
        return F.cross_entropy(scores, labels)

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return E CE(s(G(z)), K + 1)."""
        scores, _ = self.scores(fake)
        return F.softplus(real_against_fake(scores)).mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return the cross entropy with the class of the sample, or with any."""
        scores, labels = self.scores(fake)
        if self.form == "label":
            return F.softplus(-real_against_fake(scores)).mean()
        target = scores[:, :-1].detach().argmax(1) if self.form == "dynamic" else labels
        return F.cross_entropy(scores, target)


def real_against_fake(scores: Tensor) -> Tensor:
    """Return the logit (N,) of being of any class, of scores (N, K + 1) whose last is of generated samples."""
    logit: Tensor = scores[:, :-1].logsumexp(1) - scores[:, -1]
    return logit
