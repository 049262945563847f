"""BicycleGAN (Zhu et al. 2017, arXiv 1711.11586): many images of one image, told apart by a code."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.func import functional_call

from gan_framework.api import Batch, Components, ConfigError, Latent, Pair, Player, Term, TermPlan
from gan_zoo.encoding import EncodingGame
from gan_zoo.ranges import require_not_negative
from gan_zoo.terms.kl_divergence import KLDivergence
from gan_zoo.translating import SOURCE, PixelDistance

ENCODED, RANDOM = "encoded", "random"


class CodeOfImage(Term):
    """|z - E(G(s, z))|, a mean over entries, of which the encoder takes no notice (equation 7; section 4 of the paper).

    E(x) is the mean of the codes where the encoder tells means and variances.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        game, z = self.game, pair.latent.z
        encoder = game.network("encoder")
        fixed = {name: parameter.detach() for name, parameter in encoder.named_parameters()}
        with game.autocast():
            outputs: Tensor = functional_call(encoder, fixed, (pair.fake,))
        return (z - outputs[:, : z.shape[1]].to(z.dtype)).abs().mean()


class BicycleGAN(EncodingGame):
    """Two cycles: an image's code makes the image again (cVAE-GAN), and a random code is found again (cLR-GAN).

        G, E  L_G(G(s, z_E)) + L_G(G(s, z)) + distance |x - G(s, z_E)|₁ + divergence KL(E(x) || N(0, I))
        G     + latent |z - E(G(s, z))|₁

    with z_E drawn from E(x) and z from the prior (equation 8). Each cycle has a discriminator of its own, which sees
    images alone or beside their source. Both cycles have the whole batch, where the authors' program halves it.

    Args:
        components: what the game is made of.
        beside: whether the discriminators judge images beside their source; in the paper they do not.
        distance: the weight of the distance of pixels; 10 in the paper.
        divergence: that of the codes' divergence, a sum over their entries; 0.01.
        latent: that of the distance of codes; 0.5.
    """

    generates_from = SOURCE

    def __init__(self, components: Components, beside: bool, distance: float, divergence: float, latent: float) -> None:
        require_not_negative(distance=distance, divergence=divergence, latent=latent)
        super().__init__(components)
        self.beside = beside
        generator = self.player("generator")
        generator.add_term("distance", PixelDistance("l1"), plan=TermPlan(distance, pairs=(ENCODED,)))
        generator.add_term("divergence", KLDivergence(), plan=TermPlan(divergence, pairs=(ENCODED,)))
        generator.add_term("latent", CodeOfImage(), plan=TermPlan(latent, pairs=(RANDOM,)))

    def make_players(self) -> list[Player]:
        """Return both discriminators as one player, and the generator with the encoder."""
        judges = ("discriminator", f"discriminator_{RANDOM}")
        return [
            Player("discriminator", judges, "discriminator", dict.fromkeys((ENCODED, RANDOM), "discriminator")),
            Player("generator", ("generator", "encoder"), "generator", dict.fromkeys((ENCODED, RANDOM), "generator")),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return the samples beside what is made of their own codes, and of random ones."""
        source = latent.given[SOURCE]
        given = (source,) if self.beside else ()
        found = {}
        code = self.encode(batch.samples)._replace(given=latent.given, labels=latent.labels)
        for name, judge, of in ((ENCODED, "discriminator", code), (RANDOM, f"discriminator_{RANDOM}", latent)):
            fake = self.generate(of)
            found[name] = Pair(self.judge(judge), batch, of, fake, real_given=given, fake_given=given)
        return found

    def check(self) -> None:
        """See that samples have sources, and codes a deviation.

        Raises:
            ConfigError: they have not.
        """
        if SOURCE not in self.data.extra:
            raise ConfigError(
                f"bicyclegan makes samples of their {SOURCE!r}, and these data have none: choose data=paired, "
                "data=degraded or data=digit_pairs"
            )
        super().check()
