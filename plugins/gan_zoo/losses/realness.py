"""The loss of Realness GAN: distributions in the place of scores."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DiscriminatorOutput, SeparableLoss
from gan_zoo.losses.vectors import vectors

GENERATORS = ("relativistic", "anchored")


def project(anchor: Tensor, skew: float) -> Tensor:
    """Return an anchor (K,) whose support, K places in [-1, 1], is moved by a skew: what leaves it stays at its end."""
    k = len(anchor)
    places = (torch.linspace(-1, 1, k, dtype=anchor.dtype) + skew).clamp(-1, 1)
    at = (places + 1) / 2 * (k - 1)
    below = at.floor().clamp(max=k - 2).long()
    share = at - below
    return torch.zeros_like(anchor).index_add(0, below, anchor * (1 - share)).index_add(0, below + 1, anchor * share)


@lru_cache
def anchors(k: int, skew: float, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return the distributions (K,) that D is to give of real and of generated samples.

    Args:
        k: the number of outcomes, at least 2.
        skew: how far a uniform distribution is moved up, for real samples, and a normal one down, for generated ones.
        device: where they lie.
        dtype: their type.
    """
    places = torch.linspace(-1, 1, k, dtype=torch.float64)
    uniform, normal = torch.ones_like(places), (-((3 * places) ** 2) / 2).exp()  # [-1, 1] are three deviations
    moved = project(uniform / uniform.sum(), skew), project(normal / normal.sum(), -skew)
    real, fake = (anchor.to(device, dtype) for anchor in moved)
    return real, fake


def cross_entropy(anchor: Tensor, log_outcomes: Tensor) -> Tensor:
    """Return -E Σ a log d of distributions (K,) or (N, K) and logarithms (N, K)."""
    return -(anchor * log_outcomes).sum(1).mean()


class Realness(SeparableLoss):
    """D says of a sample not how real it is but how such opinions are distributed (Xiangli et al. 2020).

    Real or Not Real, that is the Question, arXiv 2002.05512, equations 3, 18 and 19. The K outcomes are the softmax of
    the discriminator's head `vector` (`'strategy=[vector_head]' strategy.vector_head.size=51`), or else of its last
    features. D brings them near one anchor on real samples and near another on generated ones; cross entropies differ
    from the paper's divergences by constants. The authors' program draws its anchors anew in each step, from a uniform
    and a normal distribution, and moves them apart; here they are these distributions themselves.

    Args:
        generator: G takes its samples' outcomes away from the anchor of generated ones and brings them to those of
            real samples (`relativistic`, equation 19), or to the anchor of these (`anchored`, equation 18).
        skew: how far the anchors are moved apart, on a support of [-1, 1]; 2 leaves one outcome each.
    """

    compares_vectors = True

    def __init__(self, generator: str, skew: float) -> None:
        super().__init__()
        if generator not in GENERATORS:
            raise ValueError(f"generator={generator!r}: choose {' or '.join(GENERATORS)}")
        if not 0 < skew <= 2:
            raise ValueError(f"skew={skew}: it must be above 0 and at most 2")
        self.generator_needs_real = generator == "relativistic"
        self.skew = skew

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return the cross entropy of D(x) to the anchor of real samples."""
        outcomes = _log_outcomes(real)
        return cross_entropy(self._anchor(outcomes, 0), outcomes)

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return the cross entropy of D(G(z)) to the anchor of generated samples."""
        outcomes = _log_outcomes(fake)
        return cross_entropy(self._anchor(outcomes, 1), outcomes)

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return how near D(G(z)) is to what generated samples are to have, and how far from what real ones have."""
        outcomes = _log_outcomes(fake)
        wanted = self._anchor(outcomes, 0)
        if self.generator_needs_real:
            assert real is not None
            wanted = _log_outcomes(real).exp()
        return cross_entropy(wanted, outcomes) - cross_entropy(self._anchor(outcomes, 1), outcomes)

    def _anchor(self, outcomes: Tensor, side: int) -> Tensor:
        return anchors(outcomes.shape[1], self.skew, outcomes.device, outcomes.dtype)[side]


def _log_outcomes(said: DiscriminatorOutput) -> Tensor:
    found = vectors("realness", said)
    if found.shape[1] < 2:
        raise ConfigError("loss=realness needs at least two outcomes: set strategy.vector_head.size")
    return found.log_softmax(1)
