"""Perceptual GAN (Li et al. 2017, arXiv 1706.05274): features of small objects are made like those of large ones."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Batch, Components, ConfigError, Latent, Pair, Player, Term
from gan_zoo.adapting import AdaptingGame, SourceClassification
from gan_zoo.made_alike import weigh
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import WeighedPlayer


class Perception(Term):
    """CE(C(F(x) + R(F(x))), y) of small objects: the perception branch, in the place of a detector's losses."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's small objects."""
        game, labels = self.game, pair.batch.labels
        assert isinstance(game, PerceptualGAN) and labels is not None
        return F.cross_entropy(game.ask("classifier", pair.fake), labels)


class PerceptualGAN(AdaptingGame):
    """F and C learn from large objects, `sources.a`; then R adds to those of small ones, the data.

    D tells F of large objects from F + R(F) of small ones (equation 2); R minimises its part of the loss and what C
    makes of the classes of small ones, which are known in training. The schedule says when (`stages`: the player
    `classifier`, then `discriminator` and `generator`). Small: classes in the place of detection, and one branch of
    perception that stays as it is.

    Args:
        components: what the game is made of.
        perception: the weight of the cross entropy of small objects.
        adversarial: the weight of R's part of the loss.
    """

    def __init__(self, components: Components, perception: float, adversarial: float) -> None:
        require_not_negative(perception=perception, adversarial=adversarial)
        super().__init__(components)
        self.player("classifier").add_term("classification", SourceClassification())
        if perception:
            self.player("generator").add_term("perception", Perception(), perception)
        weigh(self, {"discriminator": 1.0, "generator": adversarial})

    def make_players(self) -> list[Player]:
        """Return D, R, and F with C."""
        return [
            WeighedPlayer("discriminator", ("discriminator",), "discriminator", "discriminator"),
            WeighedPlayer("generator", ("residual",), "generator", "generator"),
            Player("classifier", ("features", "classifier")),
        ]

    def enriched(self, x: Tensor) -> Tensor:
        """Return F(x) + R(F(x)) of small objects."""
        features = self.ask("features", x).detach()
        return features + self.ask("residual", features)

    def classify(self, x: Tensor) -> Tensor:
        """Return logits (N, K) of the classes of small objects; of their own features until R is trained."""
        if self.player("generator").updates == 0:
            return super().classify(x)
        return self.ask("classifier", self.enriched(x))

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return features of large objects as the real side, what is made of small ones as the other."""
        real = self.ask("features", self.source(batch)[0]).detach()
        found = Pair(self.judge("discriminator"), batch, latent, self.enriched(batch.samples), real=real)
        found.real_labels = found.fake_labels = None
        return found

    def check(self) -> None:
        """See that small objects have classes.

        Raises:
            ConfigError: they have none.
        """
        if not self.data.num_classes:
            raise ConfigError("PerceptualGAN needs the classes of small objects in training: choose labelled data")
        super().check()
