"""Training with labels, as AC-GAN does."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import Game, Generator, Strategy
from gan_zoo.layers import given
from gan_zoo.ranges import require_above_zero
from gan_zoo.terms.auxiliary_classification import AuxiliaryClassification, require_unaware_discriminator


class LabelledLatent(Generator):
    """Makes any generator conditional: a learned vector of the class is added to z.

    Args:
        generator: a generator that takes no labels.
        latent_dim: the size of z.
        num_classes: the number of classes.
    """

    conditional = True

    def __init__(self, generator: Generator, latent_dim: int, num_classes: int) -> None:
        super().__init__()
        self.generator = generator
        self.embedding = nn.Embedding(num_classes, latent_dim)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) and classes (N,) to samples."""
        return self.generator(z + self.embedding(given(labels)))  # type: ignore[no-any-return]


def tell_classes(game: Game) -> None:
    """Make a generator that takes no labels conditional."""
    if not game.conditional:
        assert game.prior is not None
        game.networks["generator"] = LabelledLatent(game.generator, game.prior.dim, game.data.num_classes)


class TrainWithLabels(Strategy):
    """G is asked for classes, and D tells them (AC-GAN, Odena et al. 2017, arXiv 1610.09585, section 3).

    A generator that takes no labels is given a learned vector of the class, added to z. The
    discriminator gains the head `class`, and both players minimise its error beside their own losses.

    Args:
        weight: of the classification.
    """

    def __init__(self, weight: float) -> None:
        require_above_zero(weight=weight)
        self.weight = weight

    def apply(self, game: Game) -> None:
        """Condition the generator, add the head, and give the term to the players of both sides."""
        require_unaware_discriminator(game, "train_with_labels")
        tell_classes(game)
        features = game.probe().features[-1].flatten(1).shape[1]
        game.discriminator.heads["class"] = nn.Linear(features, game.data.num_classes)
        discriminators, generators, _ = game.teams()
        for player in discriminators + generators:
            player.add_term("auxiliary_classification", AuxiliaryClassification(), self.weight)
