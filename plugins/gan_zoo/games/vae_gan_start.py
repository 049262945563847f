"""A GAN whose generator starts as a VAE's decoder."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import MAIN, Components, Game, Meeting, NextBatch, Player, check_pairs
from gan_zoo.autoencoding import autoencode, encode
from gan_zoo.ranges import require_positive


class VAEGANStart(Game):
    """In the first steps a VAE is trained; then its decoder goes on as the generator of a two-player game.

    The latents of both are standard normal. The terms of the player `vae` are those of the VAE.

    Args:
        components: what the game is made of.
        vae_steps: steps in which the VAE is trained, before the discriminator's first.
    """

    def __init__(self, components: Components, vae_steps: int) -> None:
        super().__init__(components)
        require_positive(vae_steps=vae_steps)
        self.vae_steps = vae_steps

    def make_players(self) -> list[Player]:
        """Return D, G and the VAE."""
        return [*super().make_players(), Player("vae", ("encoder", "generator"))]

    def teams(self) -> tuple[list[Player], list[Player], list[Player]]:
        """Return the players of the game that follows, which the VAE is not part of."""
        discriminators, generators, others = super().teams()
        return discriminators, generators, [player for player in others if player.name != "vae"]

    def code_of(self, x: Tensor) -> Tensor:
        """Return the codes (N, latent_dim) of samples, the means of the VAE's q(z|x)."""
        return encode(self, x).code["mean"]

    def check(self) -> None:
        """Raise ConfigError if the networks do not fit the data and each other."""
        super().check()
        check_pairs(self, lambda batch: {"vae": autoencode(self, batch)})

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Train the VAE in the first steps; play one step of the game in the others."""
        vae = self.player("vae")
        if vae.updates < self.vae_steps:
            return vae.play(Meeting({MAIN: autoencode(self, next_batch())}))
        return super().step(next_batch)
