"""PixelDA (Bousmalis et al. 2017, arXiv 1612.05424): labelled images of one domain are made to look like another's."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Components, Pair, Player, Term
from gan_zoo.adapting import A, in_channels, require_labelled_source
from gan_zoo.made_alike import MadeAlike, weigh
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import WeighedPlayer


class TaskLoss(Term):
    """CE(T(G(x, z)), y) + CE(T(x), y) of the labelled source (equation 3), for G the first alone."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the sum of both means, or the first."""
        game, labels = self.game, pair.batch.others[A].labels
        assert isinstance(game, PixelDA) and labels is not None
        of_made = F.cross_entropy(game.classify(pair.fake), labels)
        if player.team == "generator":
            return of_made
        x = in_channels(pair.latent.given[A], game.data.sample[0])
        return of_made + F.cross_entropy(game.classify(x), labels)


class PixelDA(MadeAlike):
    """D tells target images from made ones, T learns from made and plain ones, G is to fool D and to be told by T.

        D and T   weight · L_D + task · (CE(T(G(x, z)), y) + CE(T(x), y))
        G         weight · L_G + task · CE(T(G(x, z)), y)

    T moves beside D, and stands still when G moves (section 3.1 and the authors' program).

    Args:
        components: what the game is made of.
        discriminator_weight: of D's loss.
        adversarial: the weight of G's part of the loss.
        task: the weight of T's cross entropies.
    """

    def __init__(self, components: Components, discriminator_weight: float, adversarial: float, task: float) -> None:
        require_not_negative(discriminator_weight=discriminator_weight, adversarial=adversarial, task=task)
        super().__init__(components)
        for name in ("discriminator", "generator"):
            self.player(name).add_term("task", TaskLoss(), task)
        weigh(self, {"discriminator": discriminator_weight, "generator": adversarial})

    def classify(self, x: Tensor) -> Tensor:
        """Return logits (N, K) of the classes of images (N, C, H, W) like the data."""
        return self.ask("classifier", x)

    def check(self) -> None:
        """See that the source has labels.

        Raises:
            ConfigError: it has none.
        """
        require_labelled_source(self)
        super().check()

    def make_players(self) -> list[Player]:
        """Return D with T, and G."""
        return [
            WeighedPlayer("discriminator", ("discriminator", "classifier"), "discriminator", "discriminator"),
            WeighedPlayer("generator", ("generator",), "generator", "generator"),
        ]
