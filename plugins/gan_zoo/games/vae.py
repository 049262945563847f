"""The variational auto-encoder."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Batch, Game, Latent, Pair, Player
from gan_zoo.autoencoding import autoencode, encode
from gan_zoo.without_loss import refuse_loss


class VAE(Game):
    """One player updates an encoder and a generator, its decoder (Kingma & Welling 2014, arXiv 1312.6114).

    Its objective are the terms `reconstruction` and `kl_divergence`, whose sum is the negative lower
    bound of the log likelihood (equation 10). Samples are drawn from the prior, as in any game.
    """

    def make_players(self) -> list[Player]:
        """Return the one player."""
        return [Player("vae", ("encoder", "generator"))]

    def check(self) -> None:
        """Raise ConfigError if there is a loss, or the networks do not fit the data."""
        refuse_loss(self, "vae")
        super().check()

    def latent_for(self, batch: Batch) -> Latent:
        """Return labels alone: the codes are the encoder's to draw."""
        return Latent(batch.samples.new_zeros(len(batch.samples), 0), batch.labels)

    def code_of(self, x: Tensor) -> Tensor:
        """Return the codes (N, latent_dim) of samples, the means of q(z|x)."""
        return encode(self, x).code["mean"]

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return a pair in which the generated samples are the reconstructions of the real ones."""
        return autoencode(self, batch)
