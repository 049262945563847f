"""ViGAN: Gorijala & Dukkipati 2017, arXiv 1701.04568: a VAE whose decoder is InfoGAN's generator."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gan_framework.api import MAIN, Batch, Components, ConfigError, Latent, Pair, Player, Term, TermPlan
from gan_zoo.autoencoding import decode, drawn_around
from gan_zoo.encoding import RECONSTRUCTION, EncodingGame
from gan_zoo.priors.codes import Codes
from gan_zoo.ranges import require_not_negative
from gan_zoo.systems.vae_gan import FeatureReconstruction
from gan_zoo.terms.kl_divergence import kl_to_standard_normal
from gan_zoo.terms.mutual_information import MutualInformation


class NoiseDivergence(Term):
    """KL(E(noise|x) || N(0, 1)) in nats, a sum over entries and a mean over samples."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's samples."""
        code = pair.latent.code
        return kl_to_standard_normal(code["mean"], code["log_variance"]).mean()


class ViGAN(EncodingGame):
    """E draws the noise of a sample, Q tells its codes, and G makes both into the sample again, or drawn ones into new.

        E  λ₁ KL(E(noise|x) || N(0, 1)) + λ₂ L_l,      L_l = ½ ‖D_l(x) - D_l(x_f)‖²,  x_f = G(E(x), Q(x))
        G  its loss on x_p = G(noise, c) and x_f, + λ₂ L_l;      Q with G  -λ L_I(c)
        D  its loss, x_p and x_f being generated

    A reading from memory of three pieces that there are (a VAE, an error in D's features as VAE-GAN's, and mutual
    information): in the paper c is a visual description that comes with the sample, here codes are found without
    labels, and those of a real sample are Q's probabilities and means.

    Args:
        components: what the game is made of; the prior is `codes` with normal noise.
        kl_weight: λ₁.
        reconstruction_weight: λ₂.
        layer: the index of D's layer l among its features.
        categorical: λ of the categorical codes.
        continuous: λ of the continuous codes.
    """

    def __init__(
        self,
        components: Components,
        kl_weight: float,
        reconstruction_weight: float,
        layer: int,
        categorical: float,
        continuous: float,
    ) -> None:
        require_not_negative(
            kl_weight=kl_weight,
            reconstruction_weight=reconstruction_weight,
            categorical=categorical,
            continuous=continuous,
        )
        super().__init__(components)
        if not isinstance(self.prior, Codes) or self.prior.noise != "normal":
            raise ConfigError(
                "game=vigan_info encodes the noise beside structured codes as normal: set prior=codes "
                "prior.noise=normal"
            )
        encoder, generator, q = (self.player(name) for name in ("encoder", "generator", "q"))
        encoder.add_term("kl_divergence", NoiseDivergence(), plan=TermPlan(kl_weight, pairs=(RECONSTRUCTION,)))
        for player in (encoder, generator):
            plan = TermPlan(reconstruction_weight, pairs=(RECONSTRUCTION,))
            player.add_term("feature_reconstruction", FeatureReconstruction(layer), plan=plan)
        q.add_term("mutual_information", MutualInformation(categorical, continuous), plan=TermPlan(pairs=(MAIN,)))

    def make_players(self) -> list[Player]:
        """Return D, G, E, and Q with G."""
        told = {MAIN: "discriminator", RECONSTRUCTION: "discriminator_fake"}
        return [
            Player("discriminator", ("discriminator",), "discriminator", told),
            Player("generator", ("generator",), "generator", dict.fromkeys(told, "generator")),
            Player("encoder", ("encoder",)),
            Player("q", ("generator", "q")),
        ]

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Latent:
        """Return z (N, latent_dim) of samples x: noise drawn around E's means, and the codes that Q tells.

        Raises:
            ConfigError: the encoder does not make means and logarithms of variances of the noise.
        """
        prior = self.prior
        assert isinstance(prior, Codes)
        with self.autocast():
            outputs, said = self.network("encoder")(x), self.network("q")(x)
        noise = prior.dim - prior.codes.dim
        if outputs.shape[1] != 2 * noise:
            raise ConfigError(
                f"networks.encoder makes {outputs.shape[1]} numbers of a sample: game=vigan_info needs means and "
                f"logarithms of variances of the noise, {2 * noise}"
            )
        drawn = drawn_around(outputs)
        told = {
            name: value.softmax(1) if value.shape[1] > 1 else value
            for name, value in prior.codes.split(said[:, : prior.codes.dim].to(drawn.z.dtype)).items()
        }
        return Latent(torch.cat([drawn.z, *told.values()], 1), labels, {**told, **drawn.code})

    def code_of(self, x: Tensor) -> Tensor:
        """Return z (N, latent_dim) of samples, without random numbers: the noise's means beside the codes."""
        latent = self.encode(x)
        mean = latent.code["mean"]
        return torch.cat([mean, latent.z[:, mean.shape[1] :]], 1)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return x and x_p, and x and x_f, both before D."""
        judge, code = self.judge("discriminator"), self.encode(batch.samples, batch.labels)
        return {
            MAIN: Pair(judge, batch, latent, self.generate(latent)),
            RECONSTRUCTION: Pair(judge, batch, code, decode(self, code)),
        }
