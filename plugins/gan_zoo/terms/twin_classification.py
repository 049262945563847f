"""The two classifiers of TAC-GAN."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import ConfigError, Discriminator, Game, Pair, Player, Term
from gan_zoo.batch_statistic import penultimate_size
from gan_zoo.heads import ReadsHeads, add_head, require_unaware
from gan_zoo.terms.auxiliary_classification import AuxiliaryClassification
from gan_zoo.terms.reading import require_head, widened
from gan_zoo.terms.sides import name_of

HEADS = ("class", "class_generated")


class TwinClassification(Term, ReadsHeads):
    """A classifier of real samples and a twin of generated ones (Gong et al. 2019, arXiv 1907.02690, TAC-GAN).

    The discriminator's head `class` learns from real samples alone, its head `class_generated` from generated ones. The
    generator minimises E CE(class, y) - E CE(class_generated, y): samples of the class that is asked for, of which
    those that are easily told gain nothing, as they do with `auxiliary_classification`.
    """

    asks_for_classes = True

    def give_heads(self, game: Game, network: str) -> None:
        """Give a discriminator both heads.

        Raises:
            ConfigError: the data have no classes, or it is told them.
        """
        require_unaware(game, network, "twin_classification")
        critic = cast(Discriminator, game.network(network))
        for name in HEADS:
            add_head(critic, name, nn.Linear(penultimate_size(game, network), game.data.num_classes))

    def check(self, game: Game, player: Player) -> None:
        """See that the discriminator has the heads, and that no other term trains them.

        Raises:
            ConfigError: a head is missing or untrained, or has another teacher too.
        """
        for network in game.judges_of(player, name_of(self, player)):
            require_unaware(game, network, "twin_classification")
        require_head(self, game, player, *HEADS)
        for other in map(game.player, game.players):
            if any(isinstance(term, AuxiliaryClassification) for term in other.terms.values()):
                raise ConfigError(
                    "twin_classification has the head `class` learn from real samples alone, auxiliary_classification "
                    "from generated ones too: choose one of them"
                )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the cross entropies in nats, their sum for a discriminator and their difference for a generator."""
        if player.team == "discriminator":
            real, fake = pair.outputs
            return _cross_entropy(real.heads["class"], pair.real_labels) + _cross_entropy(
                fake.heads["class_generated"], pair.fake_labels
            )
        own, twin = (_cross_entropy(pair.fake_output.heads[name], pair.fake_labels) for name in HEADS)
        return own - twin


def _cross_entropy(scores: Tensor, labels: Tensor | None) -> Tensor:
    assert labels is not None
    return F.cross_entropy(widened(scores), labels)
