"""AAE: Makhzani, Shlens, Jaitly, Goodfellow & Frey 2015, arXiv 1511.05644."""

from __future__ import annotations

from collections.abc import Mapping

from gan_framework.api import Batch, Latent, Pair, Player
from gan_zoo.encoding import RECONSTRUCTION, EncodingGame

CODES = "codes"
"""The pair of latents of the prior, which are real here, and codes of real samples."""


class AAE(EncodingGame):
    """An auto-encoder whose codes are to look like draws of the prior to a discriminator of codes (section 2).

        E, G  the reconstruction error           a term of the player `autoencoder`, for the pair `reconstruction`
        D     -log D(z) - log(1 - D(E(x)))       z ~ p(z): a GAN whose real samples are the prior's, of any loss
        E     -log D(E(x))

    The discriminator is any network for vectors of `prior.dim` entries. The paper reconstructs before it updates D;
    here D comes first, then E, then the auto-encoder.
    """

    def make_players(self) -> list[Player]:
        """Return D, E that fools it, and the auto-encoder."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", {CODES: "discriminator"}),
            Player("encoder", ("encoder",), "generator", {CODES: "generator"}),
            Player("autoencoder", ("encoder", "generator")),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return latents and codes before D, and real samples with their reconstructions."""
        pair = self.autoencoded(batch)
        return {CODES: self.codes(batch, pair.latent, latent), RECONSTRUCTION: pair}

    def codes(self, batch: Batch, code: Latent, latent: Latent) -> Pair:
        """Return latents as real and codes as generated samples, before D."""
        judged = Pair(self.judge("discriminator"), batch, code, code.z, real=latent.z.to(code.z.dtype))
        judged.real_labels = judged.fake_labels = None  # which are of the samples, not of the latents
        return judged
