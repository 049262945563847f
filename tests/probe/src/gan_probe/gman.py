"""GMAN (Durugkar, Gemp and Mahadevan 2017, arXiv 1611.01673): a generator faces a soft maximum of several critics."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from gan_framework.api import Batch, Components, Game, Latent, Pair, Player


def soft_maximum(losses: Tensor, softness: float) -> Tensor:
    """Return Σ w_i V_i / Σ w_i of losses (K,), w_i = exp(λ V_i) (section 3.2)."""
    return (losses * (softness * losses).softmax(0)).sum()


class GMAN(Game):
    """As many critics as there are networks `discriminator_<i>`, each a player of its own.

    Args:
        components: what the game is made of.
        softness: λ of the soft maximum: 0 is the mean of the critics, infinity the strictest one.
    """

    def __init__(self, components: Components, softness: float) -> None:
        super().__init__(components)
        self.softness = softness

    def make_players(self) -> list[Player]:
        """Return the critics, and the generator."""
        names = [name for name in self.networks if name.startswith("discriminator_")]
        critics = [Player(name, (name,), "discriminator", {name: "discriminator"}) for name in names]
        faced, combine = dict.fromkeys(names, "generator"), lambda losses: soft_maximum(losses, self.softness)
        return [*critics, Player("generator", ("generator",), "generator", faced, combine)]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return the same samples before each critic, by the critics' names."""
        made, critics = self.generate(latent), self.player("generator").objective
        return {name: Pair(self.judge(name), batch, latent, made) for name in critics}
