"""LDAN (Zhou et al. 2017, arXiv 1709.01993): light is learnt of noisy labels, with features like those of true ones."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Batch, Components, ConfigError, Latent, Pair, Player, Term
from gan_zoo.adapting import OfTwoDomains
from gan_zoo.made_alike import Constant
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import WeighedPlayer


class LightError(Term):
    """E (L(F(x)) - l)², a mean over coefficients, of one domain.

    Args:
        real: of the data, with their labels' error, and the real feature network; else of the source.
    """

    def __init__(self, real: bool) -> None:
        super().__init__()
        self.real = real

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's features of that domain."""
        game = self.game
        assert isinstance(game, LDAN)
        features, labels = (pair.fake, pair.batch.labels) if self.real else (pair.real, game.source(pair.batch)[1])
        assert labels is not None
        return (game.ask("lighting", features) - labels).square().mean()


class LDAN(OfTwoDomains):
    """`features_synthetic` and `lighting` learn from `sources.a`, whose labels are true; then `features` from the data.

    It minimises the error of the light by the data's noisy labels, and its part of the loss of a D that tells its
    features from those of the source. The schedule says when (`stages`: the player `lighting`, then `discriminator` and
    `generator`). The paper's networks are residual ones on faces; here they are what the experiment says.

    Args:
        components: what the game is made of.
        adversarial: the weight of the generator's part of the loss; 0 for noisy labels alone.
    """

    sampling_network = "lighting"

    def __init__(self, components: Components, adversarial: float) -> None:
        require_not_negative(adversarial=adversarial)
        super().__init__(components)
        self.player("lighting").add_term("light", LightError(real=False))
        self.player("generator").add_term("light", LightError(real=True))
        for name, weight in (("discriminator", 1.0), ("generator", adversarial)):
            player = self.player(name)
            assert isinstance(player, WeighedPlayer)
            player.weight_at = Constant(weight)

    def make_players(self) -> list[Player]:
        """Return D, the real features' player, and that of the synthetic features and the light."""
        return [
            WeighedPlayer("discriminator", ("discriminator",), "discriminator", "discriminator"),
            WeighedPlayer("generator", ("features",), "generator", "generator"),
            Player("lighting", ("features_synthetic", "lighting")),
        ]

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return features of the source as the real side, those of the data as the other."""
        real = self.ask("features_synthetic", self.source(batch)[0])
        fake = self.ask("features", batch.samples)
        found = Pair(self.judge("discriminator"), batch, latent, fake, real=real)
        found.real_labels = found.fake_labels = None
        return found

    def predict(self, x: Tensor) -> Tensor:
        """Return the light (N, K) of images of the data."""
        return self.ask("lighting", self.ask("features", x))

    def check(self) -> None:
        """See that labels are vectors.

        Raises:
            ConfigError: they are not.
        """
        if not self.data.condition_dim:
            raise ConfigError(
                "LDAN learns vectors that belong to the data, and there are none: choose data=lit_spheres"
            )
        super().check()
