"""The auxiliary classifier of AC-GAN."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import ConfigError, Discriminator, Game, Pair, Player, Term
from gan_zoo.batch_statistic import penultimate_size
from gan_zoo.heads import ReadsHeads, add_head, require_unaware
from gan_zoo.packs import refuse_packs


class AuxiliaryClassification(Term, ReadsHeads):
    """-E log P(C = c | x), said by the discriminator's head `class` (Odena et al. 2017, arXiv 1610.09585, equation 3).

    The discriminator learns it on real and on generated samples; the generator makes samples that are
    told for the class asked for. `strategy=[train_with_labels]` gives both players the term, and the discriminator the
    head; with `strategy=[heads]` the term is given by hand.
    """

    asks_for_classes = True

    def give_heads(self, game: Game, network: str) -> None:
        """Give a discriminator the head `class`.

        Raises:
            ConfigError: the data have no classes, or it is told them.
        """
        require_unaware(game, network, "auxiliary_classification")
        critic = cast(Discriminator, game.network(network))
        add_head(critic, "class", nn.Linear(penultimate_size(game, network), game.data.num_classes))

    def check(self, game: Game, player: Player) -> None:
        """Raise ConfigError if the discriminator has no head `class`, or is told the class it should find."""
        require_unaware_discriminator(game, "auxiliary_classification")
        if "class" not in game.discriminator.heads:
            raise ConfigError(
                f"auxiliary_classification needs a discriminator with a head `class`, which "
                f"{type(game.discriminator).__name__} has not: add 'strategy=[heads]', or in the term's place "
                "'strategy=[train_with_labels]'"
            )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the cross entropy of the classes in nats, summed over the kinds of samples that the player sees."""
        real, fake = pair.real_labels, pair.fake_labels
        assert real is not None and fake is not None
        losses = []
        if player.team == "discriminator" and player.objective != "discriminator_fake":
            losses.append(F.cross_entropy(pair.real_output.heads["class"].float(), real))
        if player.objective != "discriminator_real":
            losses.append(F.cross_entropy(pair.fake_output.heads["class"].float(), fake))
        return sum(losses[1:], losses[0])


def require_unaware_discriminator(game: Game, what: str) -> None:
    """Raise ConfigError if the data have no classes, or if the discriminator is given the class, or several samples."""
    if not game.data.num_classes:
        raise ConfigError(
            f"{what} needs data with classes, and these have none; data=folder takes a folder of each class"
        )
    refuse_packs(game, "discriminator", what)
    if game.discriminator.conditional:
        raise ConfigError(
            f"{what} has no effect on {type(game.discriminator).__name__}, which is given the class that it should "
            "tell from the sample; it goes with discriminators without labels (dcgan, mlp, resnet)"
        )
