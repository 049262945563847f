"""GLO (Bojanowski et al. 2018, arXiv 1707.05776): each sample of the data has a latent of its own, learned with G."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Batch, Components, Game, Latent, Pair, Player, Term, nobody


class GLO(Game):
    """No judge: a decoder and the samples' latents minimise the distance to the samples (equation 2).

    Args:
        components: what the game is made of.
        latent_dim: the size of a latent.
    """

    sampling_network = "decoder"

    def __init__(self, components: Components, latent_dim: int) -> None:
        components.networks["latents"] = nn.Embedding(components.data.size, latent_dim)
        super().__init__(components)

    def make_players(self) -> list[Player]:
        """Return the one player."""
        return [Player("learner", ("decoder", "latents"))]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the latents of the batch's samples, brought into the unit ball (section 2)."""
        z = self.network("latents")(batch.index)
        return Latent(z / torch.linalg.vector_norm(z, dim=1, keepdim=True).clamp(min=1), batch.labels)

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the samples and what the decoder makes of their latents."""
        return Pair(nobody, batch, latent, self.generate(latent, "decoder"))


class HalfSquare(Term):
    """½ ‖x̂ - x‖², a sum over entries and a mean over samples."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance of what is made from the samples."""
        return 0.5 * (pair.fake - pair.real).flatten(1).square().sum(1).mean()
