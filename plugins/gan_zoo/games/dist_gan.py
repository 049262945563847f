"""A generator that is the decoder of an auto-encoder too, in the discriminator's features."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from gan_framework.api import MAIN, Batch, Components, ConfigError, Game, Latent, Pair, Player, Term, TermPlan
from gan_zoo.autoencoding import decode
from gan_zoo.ranges import require_not_negative

AUTOENCODED, RECONSTRUCTED = "autoencoded", "reconstructed"


class FeatureReconstruction(Term):
    """E (φ(x) - φ(G(E(x))))², a mean over the entries of D's last features φ too."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean square of what reconstructions lack of the real samples' features."""
        original, reconstructed = (_features(pair, side) for side in ("real", "fake"))
        return (original.detach() - reconstructed).square().mean()


class LatentDistance(Term):
    """(E [φ(G(E(x))) - φ(G(z))] - λ E [E(x) - z])², means over entries too, λ = √(dim z / dim φ).

    Reconstructions are to be as far from generated samples as their codes from latents.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the square of the difference of the two distances."""
        reconstructed, generated = (_features(pair, side) for side in ("real", "fake"))
        code, z = pair.made["code"].to(pair.fake.dtype), pair.latent.z
        factor = math.sqrt(z.shape[1] / generated.shape[1])
        apart = (reconstructed - generated).mean() - factor * (code - z).mean()
        return apart.square()


class MeanScoreDistance(Term):
    """|E D(x) - E D(G(z))|, of probabilities: what G pays."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance of the mean probabilities."""
        real, fake = (said.scores.sigmoid().mean() for said in (pair.real_output, pair.fake_output))
        return (real.detach() - fake).abs()


def _features(pair: Pair, side: str) -> Tensor:
    output = pair.real_output if side == "real" else pair.fake_output
    return output.features[-1].flatten(1).to(pair.fake.dtype)


class DistGAN(Game):
    """G also decodes what an encoder makes of real samples, near in D's features (Tran et al. 2018, arXiv 1803.08887).

    Three players: the auto-encoder (E and G) lowers `FeatureReconstruction` and λ_r `LatentDistance`; D takes real
    samples for real, reconstructions too with a small weight, and generated ones for generated; G brings the mean
    probabilities of both sides together. D's gradient penalty is a term, for the pair `main`. The encoder's vectors are
    codes as they are (`networks.encoder.outputs=[${prior.dim}]`).

    Args:
        components: what the game is made of.
        reconstructed: the weight of reconstructions among what D is to take for real; that of real samples is the rest.
        distance: λ_r.
    """

    def __init__(self, components: Components, reconstructed: float, distance: float) -> None:
        if not 0 < reconstructed < 1:
            raise ValueError(f"reconstructed={reconstructed}: it must lie between 0 and 1")
        require_not_negative(distance=distance)
        super().__init__(components)
        self.reconstructed = reconstructed
        autoencoder = self.player("autoencoder")
        autoencoder.add_term("reconstruction", FeatureReconstruction(), plan=TermPlan(pairs=(AUTOENCODED,)))
        autoencoder.add_term("distance", LatentDistance(), plan=TermPlan(distance, pairs=(RECONSTRUCTED,)))
        self.player("generator").add_term("scores", MeanScoreDistance(), plan=TermPlan(pairs=(MAIN,)))

    def make_players(self) -> list[Player]:
        """Return D, G and the auto-encoder."""
        faced = {MAIN: "discriminator", RECONSTRUCTED: "discriminator"}
        return [
            Player("discriminator", ("discriminator",), "discriminator", faced, self.combine),
            Player("generator", ("generator",), "generator"),
            Player("autoencoder", ("encoder", "generator")),
        ]

    def combine(self, losses: Tensor) -> Tensor:
        """Return D's loss of the losses (2,) before real samples and before reconstructions, against generated ones."""
        return (losses * losses.new_tensor([1 - self.reconstructed, self.reconstructed])).sum()

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return x and G(z), x and G(E(x)), and G(E(x)) and G(z), all before D."""
        judge, made = self.judge("discriminator"), self.generate(latent)
        with self.autocast():
            code: Tensor = self.network("encoder")(batch.samples)
        decoded = decode(self, latent._replace(z=code.to(latent.z.dtype)))
        return {
            MAIN: Pair(judge, batch, latent, made),
            AUTOENCODED: Pair(judge, batch, latent._replace(z=code), decoded),
            RECONSTRUCTED: Pair(judge, batch, latent, made, real=decoded, made={"code": code}),
        }

    def code_of(self, x: Tensor) -> Tensor:
        """Return the codes (N, latent_dim) of samples."""
        with torch.no_grad(), self.autocast():
            code: Tensor = self.network("encoder")(x)
        return code.float()

    def check(self) -> None:
        """See that the encoder's vectors are codes, and that D has features.

        Raises:
            ConfigError: they are not, or it has none.
        """
        if self.prior is None:
            raise ConfigError(
                "game=dist_gan compares codes with latents of a prior, and there is none: set prior=normal"
            )
        super().check()
        if not self.probe().features:
            kind = type(self.network("discriminator")).__name__
            raise ConfigError(f"game=dist_gan compares D's features, and {kind} reports none")
