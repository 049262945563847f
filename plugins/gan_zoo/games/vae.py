"""The variational auto-encoder."""

from __future__ import annotations

from gan_framework.core.game import Game
from gan_framework.core.pair import Round
from gan_framework.core.player import Player
from gan_framework.core.records import Batch
from gan_zoo.autoencoding import autoencode, require_reconstructions


class VAE(Game):
    """One player moves an encoder and a generator, its decoder (Kingma & Welling 2014, arXiv 1312.6114).

    Its objective are the terms `reconstruction` and `kl_divergence`, whose sum is the negative lower
    bound of the log likelihood (equation 10). Samples are drawn from the prior, as in any game.
    """

    def make_players(self) -> list[Player]:
        """Return the one player."""
        return [Player("vae", ("encoder", "generator"))]

    def check(self) -> None:
        """Raise ConfigError if the networks do not fit the data and each other."""
        require_reconstructions(self, ("encoder", "generator"), self.meet)

    def meet(self, batch: Batch, graph: bool = True) -> Round:
        """Return a round in which the generated samples are the reconstructions of the real ones."""
        return autoencode(self, batch, graph)
