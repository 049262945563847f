"""The relativistic losses."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import AdversarialLoss, DiscriminatorOutput

PAIRINGS = ("paired", "average", "centered", "all_pairs")

Falling = Callable[[Tensor], Tensor]

BASES: dict[str, Falling] = {
    "standard": lambda t: F.softplus(-t),
    "least_squares": lambda t: (t - 1).square(),
    "hinge": lambda t: F.relu(1 - t),
}
"""a(t), small where t says with confidence that a sample looks real; b(t), that it looks generated, is a(-t)."""


class Relativistic(AdversarialLoss):
    """Samples are compared with those of the other side (Jolicoeur-Martineau 2018, arXiv 1807.00734, section 4).

    `paired` with `standard` is RSGAN's loss and the one that R3GAN takes up (Huang et al. 2024, arXiv 2501.05441,
    equation 2); `average` is RaGAN's (section 4.2). `centered` and `all_pairs` are RcGAN's and RalfGAN's
    (Jolicoeur-Martineau 2019, arXiv 1901.02474). Sums are as in the papers' equations, without factors of ½.

    Args:
        pairing: what a sample is compared with: `paired`, the sample of its place in the other batch; `average`, the
            mean score of the other batch; `centered`, the mean of both batches; `all_pairs`, each of the other batch.
        base: `standard` (cross entropy), `least_squares` or `hinge`.
    """

    generator_needs_real = True

    def __init__(self, pairing: str, base: str) -> None:
        super().__init__()
        if pairing not in PAIRINGS:
            raise ValueError(f"pairing={pairing!r}: choose {', '.join(PAIRINGS)}")
        if base not in BASES:
            raise ValueError(f"base={base!r}: choose {', '.join(BASES)}")
        self.pairing = pairing
        self.base = BASES[base]

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return the mean loss where real samples do not look more real than generated ones."""
        return self._beats(real.logits, fake.logits)

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return the same with the sides exchanged."""
        assert real is not None
        return self._beats(fake.logits, real.logits)

    def _beats(self, winner: Tensor, loser: Tensor) -> Tensor:
        if self.pairing == "paired":
            return self.base(winner - loser).mean()
        if self.pairing == "all_pairs":
            return self.base(winner.flatten()[:, None] - loser.flatten()).mean()
        if self.pairing == "average":
            return self.base(winner - loser.mean()).mean() + self.base(winner.mean() - loser).mean()
        middle = (winner.mean() + loser.mean()) / 2
        return self.base(winner - middle).mean() + self.base(middle - loser).mean()
