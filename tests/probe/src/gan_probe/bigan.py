"""BiGAN (Donahue, Krähenbühl and Darrell 2017, arXiv 1605.09782): an encoder and a generator fool a judge of (x, z)."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import Batch, Game, Latent, Pair, Player


class Encoder(nn.Module):
    """One linear layer from samples to latents.

    Args:
        inputs: the number of entries of a sample.
        latent_dim: the size of z.
    """

    def __init__(self, inputs: int, latent_dim: int) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, latent_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map samples (N, ...) to latents (N, latent_dim)."""
        code: Tensor = self.layer(x.flatten(1))
        return code


class BiGAN(Game):
    """The judge compares (x, E(x)) with (G(z), z) (section 3, equation 3)."""

    def make_players(self) -> list[Player]:
        """Return the judge, and generator and encoder, who together minimise its loss with the sides exchanged."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator"),
            Player("generator", ("generator", "encoder"), "generator", "swapped"),
        ]

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return samples with their codes, and latents with what is generated of them."""
        with self.autocast():
            code = self.network("encoder")(batch.samples)
        return Pair(
            self.judge("discriminator"),
            batch,
            latent,
            self.generate(latent),
            real_given=(code,),
            fake_given=(latent.z,),
        )
