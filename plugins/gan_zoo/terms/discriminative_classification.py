"""The classifier of ADC-GAN, which also tells real samples from generated ones."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Discriminator, Game, Pair, Player, Term
from gan_zoo.batch_statistic import penultimate_size
from gan_zoo.heads import ReadsHeads, add_head, require_unaware
from gan_zoo.terms.reading import require_head, widened
from gan_zoo.terms.sides import name_of

HEAD = "class_by_source"


class DiscriminativeClassification(Term, ReadsHeads):
    """One classifier of 2K classes, K of real and K of generated samples (Hou et al. 2022, arXiv 2107.10060, ADC-GAN).

    The discriminator's head `class_by_source` learns to tell the class and the source. The generator minimises
    CE(real of class y) - CE(generated of class y), at the optimum of D the divergence of its samples from real ones of
    the class.
    """

    asks_for_classes = True

    def give_heads(self, game: Game, network: str) -> None:
        """Give a discriminator the head.

        Raises:
            ConfigError: the data have no classes, or it is told them.
        """
        require_unaware(game, network, "discriminative_classification")
        critic = cast(Discriminator, game.network(network))
        add_head(critic, HEAD, nn.Linear(penultimate_size(game, network), 2 * game.data.num_classes))

    def check(self, game: Game, player: Player) -> None:
        """See that the discriminator has the head, and is trained on it.

        Raises:
            ConfigError: it has not, or is not.
        """
        for network in game.judges_of(player, name_of(self, player)):
            require_unaware(game, network, "discriminative_classification")
        require_head(self, game, player, HEAD)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the cross entropies in nats, of both sides for a discriminator, their difference for a generator."""
        assert pair.real_labels is not None and pair.fake_labels is not None
        if player.team == "discriminator":
            real, fake = (widened(said.heads[HEAD]) for said in pair.outputs)
            return F.cross_entropy(real, pair.real_labels) + F.cross_entropy(fake, _generated(fake, pair.fake_labels))
        fake = widened(pair.fake_output.heads[HEAD])
        return F.cross_entropy(fake, pair.fake_labels) - F.cross_entropy(fake, _generated(fake, pair.fake_labels))


def _generated(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the indices (N,) of generated samples' classes in logits (N, 2K): they come after those of real ones."""
    return labels + logits.shape[1] // 2
