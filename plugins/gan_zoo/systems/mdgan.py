"""Mode-regularised GANs: Che, Li, Jacob, Bengio & Li 2017, arXiv 1612.02136."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from gan_framework.api import MAIN, Batch, Components, Latent, Pair, Player, Term, TermPlan
from gan_zoo.encoding import RECONSTRUCTION, EncodingGame, Fools
from gan_zoo.ranges import require_not_negative

MANIFOLD, DIFFUSION = "manifold", "diffusion"


class SquaredError(Term):
    """‖x - G(E(x))‖², a mean over entries and samples."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean square error of a pair's reconstructions."""
        return (pair.fake - pair.real).square().mean()


class RegGAN(EncodingGame):
    """A GAN whose G also decodes codes of real samples, so that no mode of the data is forgotten (section 2.1).

        R = λ1 ‖x - G(E(x))‖² - λ2 log D(G(E(x)))
        E  R;     G  -log D(G(z)) + R;     D  as ever, on G(z) alone

    The sign of λ2's part is what the sense asks for: reconstructions are to be believed in.

    Args:
        components: what the game is made of.
        distance: λ1.
        belief: λ2.
    """

    def __init__(self, components: Components, distance: float, belief: float) -> None:
        require_not_negative(distance=distance, belief=belief)
        super().__init__(components)
        for name in ("generator", "encoder"):
            _regularise(self.player(name), RECONSTRUCTION, distance, belief)

    def make_players(self) -> list[Player]:
        """Return D, G and E."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", {MAIN: "discriminator"}),
            Player("generator", ("generator",), "generator", {MAIN: "generator"}),
            Player("encoder", ("encoder",)),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return generated samples and reconstructions, both before D."""
        judge = self.judge("discriminator")
        return {MAIN: self.pair(batch, latent), RECONSTRUCTION: self.decoded(batch).judged_by(judge)}


class MDGAN(EncodingGame):
    """Two games: reconstructions are moved onto the data's manifold, and samples onto reconstructions (section 2.2).

        manifold   D1  -log D1(x) - log(1 - D1(G(E(x))));        G, E  ‖x - G(E(x))‖² - λ log D1(G(E(x)))
        diffusion  D2  -log D2(G(E(x))) - log(1 - D2(G(z)));     G     -log D2(G(z))

    D1 is `discriminator_manifold`, D2 `discriminator`. The paper plays one game after the other on each batch; here
    both discriminators come first.

    Args:
        components: what the game is made of.
        distance: the weight of the mean square error.
        belief: λ.
    """

    def __init__(self, components: Components, distance: float, belief: float) -> None:
        require_not_negative(distance=distance, belief=belief)
        super().__init__(components)
        _regularise(self.player("autoencoder"), MANIFOLD, distance, belief)

    def make_players(self) -> list[Player]:
        """Return D1, D2, the auto-encoder and G."""
        return [
            Player("discriminator_manifold", ("discriminator_manifold",), "discriminator", {MANIFOLD: "discriminator"}),
            Player("discriminator", ("discriminator",), "discriminator", {DIFFUSION: "discriminator"}),
            Player("autoencoder", ("encoder", "generator")),
            Player("generator", ("generator",), "generator", {DIFFUSION: "generator"}),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return real samples and reconstructions before D1, reconstructions and generated samples before D2."""
        manifold = self.decoded(batch).judged_by(self.judge("discriminator_manifold"))
        made = self.generate(latent)
        diffusion = Pair(self.judge("discriminator"), batch, latent, made, real=manifold.fake.detach())
        return {MANIFOLD: manifold, DIFFUSION: diffusion}


def _regularise(player: Player, pair: str, distance: float, belief: float) -> None:
    player.add_term("distance", SquaredError(), plan=TermPlan(distance, pairs=(pair,)))
    player.add_term("belief", Fools(), plan=TermPlan(belief, pairs=(pair,)))
