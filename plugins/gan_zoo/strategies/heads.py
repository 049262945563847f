"""Discriminators say what losses and terms read beside their score."""

from __future__ import annotations

from gan_framework.api import ConfigError, Game, Strategy
from gan_zoo.batch_statistic import choose_critics
from gan_zoo.heads import ReadsHeads
from gan_zoo.strategies.train_with_labels import tell_classes


class Heads(Strategy):
    """D says what the loss and the terms read beside its score: classes, embeddings, rotations, projections.

    A generator that takes no labels is given a learned vector of the class, added to z, where they ask it for classes.
    Layers are added to the discriminators as they are when it is applied: strategies that normalise weights come after
    it in the list, those that wrap a discriminator (virtual_batch_norm) before it.
    """

    def apply(self, game: Game) -> None:
        """Give every discriminator that is trained what is asked for.

        Raises:
            ConfigError: nothing is asked for, or it cannot be given.
        """
        asking: list[ReadsHeads] = [game.loss] if isinstance(game.loss, ReadsHeads) else []
        for player in map(game.player, game.players):
            terms = map(player.term, player.terms)
            asking += [term for term in terms if isinstance(term, ReadsHeads)]
        if not asking:
            raise ConfigError(
                f"heads has no effect: neither {type(game.loss).__name__} nor a term asks for one; it goes with "
                "loss=class_softmax, multi_hinge or omni, and with the terms auxiliary_classification, "
                "twin_classification, discriminative_classification, class_contrast, rotation and infomax"
            )
        for name in choose_critics(game, None, "heads"):
            for part in asking:
                part.give_heads(game, name)
        if any(part.asks_for_classes for part in asking):
            tell_classes(game)
