"""α-GAN: Rosca, Lakshminarayanan, Warde-Farley & Mohamed 2017, arXiv 1706.04987."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from gan_framework.api import MAIN, Batch, Components, Latent, Pair, Player, Term, TermPlan
from gan_zoo.encoding import RECONSTRUCTION, LogRatio
from gan_zoo.ranges import require_not_negative
from gan_zoo.systems.aae import AAE, CODES


class AbsoluteError(Term):
    """Σ |x - x̂| / dim x, a mean over samples: a Laplace likelihood, scaled to the mean over entries."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean absolute error of a pair's reconstructions."""
        return (pair.fake - pair.real).abs().mean()


class AlphaGAN(AAE):
    """A VAE in which classifiers stand for both divergences (algorithm 1), R(t) = -log t + log(1 - t).

        E  λ |x - x̂| + R(C(E(x)))
        G  λ |x - x̂| + R(D(x̂)) + R(D(G(z)))
        D  -log D(x) - log(1 - D(x̂)) - log(1 - D(G(z)))
        C  -log C(z) - log(1 - C(E(x)))            C is `discriminator_codes`; z ~ p(z) is real

    Prior and posterior are exchanged in C's loss in the first version of the paper. The loss must be a sum of a real
    and a generated half.

    Args:
        components: what the game is made of.
        weight: λ, of the mean absolute error (the paper's is of the sum over entries).
    """

    def __init__(self, components: Components, weight: float) -> None:
        require_not_negative(weight=weight)
        super().__init__(components)
        encoder, generator = self.player("encoder"), self.player("generator")
        for player in (encoder, generator):
            player.add_term("absolute_error", AbsoluteError(), plan=TermPlan(weight, pairs=(RECONSTRUCTION,)))
        encoder.add_term(CODES, LogRatio(), plan=TermPlan(pairs=(CODES,)))
        generator.add_term("belief", LogRatio(), plan=TermPlan(pairs=(RECONSTRUCTION, MAIN)))

    def make_players(self) -> list[Player]:
        """Return D, C, E and G."""
        told = {MAIN: "discriminator", RECONSTRUCTION: "discriminator_fake"}
        return [
            Player("discriminator", ("discriminator",), "discriminator", told),
            Player("discriminator_codes", ("discriminator_codes",), "discriminator", {CODES: "discriminator"}),
            Player("encoder", ("encoder",), "generator"),
            Player("generator", ("generator",), "generator"),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return samples and reconstructions before D, and codes before C."""
        reconstruction = self.decoded(batch).judged_by(self.judge("discriminator"))
        codes = self.codes(batch, reconstruction.latent, latent).judged_by(self.judge("discriminator_codes"))
        return {MAIN: self.pair(batch, latent), RECONSTRUCTION: reconstruction, CODES: codes}
