"""The losses of f-GAN: one for each divergence of Csiszár's family."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import DiscriminatorOutput, SeparableLoss

GENERATORS = ("saddle", "heuristic")


class Divergence(NamedTuple):
    """One row of the paper's tables 1 and 2, as functions of the score v.

    Attributes:
        activation: g(v), which maps scores into the domain of the conjugate f*.
        conjugate: f*(g(v)), simplified by hand so that no exponential is undone by a logarithm.
    """

    activation: Callable[[Tensor], Tensor]
    conjugate: Callable[[Tensor], Tensor]


DIVERGENCES = {
    "kl": Divergence(lambda v: v, lambda v: (v - 1).exp()),
    "reverse_kl": Divergence(lambda v: -(-v).exp(), lambda v: v - 1),
    "pearson": Divergence(lambda v: v, lambda v: v.square() / 4 + v),
    "neyman": Divergence(lambda v: 1 - (-v).exp(), lambda v: 2 - 2 * (-v / 2).exp()),
    "hellinger": Divergence(lambda v: 1 - (-v).exp(), lambda v: v.exp() - 1),
    "jensen_shannon": Divergence(lambda v: log(2) - F.softplus(-v), lambda v: F.softplus(v) - log(2)),
    "gan": Divergence(lambda v: -F.softplus(-v), F.softplus),
    "total_variation": Divergence(lambda v: v.tanh() / 2, lambda v: v.tanh() / 2),
}


class FGAN(SeparableLoss):
    """D estimates an f-divergence from below (Nowozin et al. 2016, arXiv 1606.00709, equation 4 and table 2).

    All activations rise with the score, so that a high score means real: `neyman` is 1 - exp(-v), where the paper's
    table has 1 - exp(v).

    Args:
        divergence: `kl`, `reverse_kl`, `pearson`, `neyman`, `hellinger`, `jensen_shannon` (twice the divergence), `gan`
            (the same less log 4) or `total_variation`.
        generator: `saddle`, minimise what D maximises; or `heuristic`, its section 3.2: maximise E g(D(G(z))), as the
            non-saturating loss does.
    """

    def __init__(self, divergence: str, generator: str) -> None:
        super().__init__()
        if divergence not in DIVERGENCES:
            raise ValueError(f"divergence={divergence!r}: choose one of {', '.join(DIVERGENCES)}")
        if generator not in GENERATORS:
            raise ValueError(f"generator={generator!r}: choose {' or '.join(GENERATORS)}")
        self.activation, self.conjugate = DIVERGENCES[divergence]
        self.heuristic = generator == "heuristic"
        self.probabilistic = divergence in {"gan", "jensen_shannon"}

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return -E g(D(x))."""
        return -self.activation(real.logits).mean()

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return E f*(g(D(G(z))))."""
        return self.conjugate(fake.logits).mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E f*(g(D(G(z)))), or -E g(D(G(z))) for the heuristic."""
        return self.real_half(fake) if self.heuristic else -self.fake_half(fake)
