"""AEGAN: Luo, Xu & Tang 2017, arXiv 1703.10094, whose outline alone is known to us: a smallest honest version."""

from __future__ import annotations

from gan_framework.api import Components, Player
from gan_zoo.encoding import EncodingGame, LatentReconstruction
from gan_zoo.ranges import require_not_negative


class AEGAN(EncodingGame):
    """A two-player game beside which an encoder learns to find the latents of generated samples.

        E  ½ ‖z - E(G(z))‖²;      G lowers it too with a weight, beside its own loss, if it is to help

    Without help E is a latent regressor, and the GAN is as it would be without it.

    Args:
        components: what the game is made of.
        weight: of the error in G's objective.
        helps: whether G has it.
    """

    def __init__(self, components: Components, weight: float, helps: bool) -> None:
        require_not_negative(weight=weight)
        super().__init__(components)
        self.player("encoder").add_term("latent_reconstruction", LatentReconstruction())
        if helps:
            self.player("generator").add_term("latent_reconstruction", LatentReconstruction(), weight)

    def make_players(self) -> list[Player]:
        """Return D, G and E."""
        return [*super().make_players(), Player("encoder", ("encoder",))]

    def check(self) -> None:
        """See that all networks fit, the encoder too, which no pair asks."""
        super().check()
        self.encode(self.probe().samples)  # type: ignore[arg-type]
