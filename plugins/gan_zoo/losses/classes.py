"""What losses share whose discriminator scores the classes."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from gan_framework.api import ConfigError, Discriminator, DiscriminatorOutput, Game, SeparableLoss
from gan_zoo.heads import ClassScores, ReadsHeads, require_unaware, say_more


class ClassLoss(SeparableLoss, ReadsHeads):
    """The base of losses of several scores a sample: one of each class, and more.

    `strategy=[heads]` puts them in the place of the discriminator's one score, which becomes a function of them.

    Attributes:
        head: what they are called among the discriminator's heads.
        further: how many there are beside the K of the classes.
    """

    head: ClassVar[str]
    further: ClassVar[int]

    @abstractmethod
    def score(self, scores: Tensor) -> Tensor:
        """Return how real samples are (N,) by their scores (N, K + further)."""

    def give_heads(self, game: Game, network: str) -> None:
        """Let the last layer score all classes.

        Raises:
            ConfigError: the data have no classes, the discriminator is told them, or its last layer is not linear or
                is widened.
        """
        name, critic = type(self).__name__, game.network(network)
        require_unaware(game, network, name)
        assert isinstance(critic, Discriminator)
        output: nn.Module = critic.output
        if critic.patches or not isinstance(output, nn.Linear):
            widened = getattr(output, "strategy", None)
            why = f"is widened by {widened}" if widened else "is no linear layer"
            raise ConfigError(
                f"{name} puts scores of all classes in the place of the last layer of networks.{network}, which {why}: "
                f"leave out {widened or name}"
            )
        critic.output = ClassScores(output.in_features, game.data.num_classes + self.further, name)
        say_more(critic, self._told)

    def _told(self, _: nn.Module, said: DiscriminatorOutput) -> DiscriminatorOutput:
        scores = said.logits
        return said._replace(logits=self.score(scores), heads={**said.heads, self.head: scores})

    def scores(self, said: DiscriminatorOutput) -> tuple[Tensor, Tensor]:
        """Return the scores (N, K + further) and the labels (N,).

        Raises:
            ConfigError: the discriminator has no such scores.
        """
        name = type(self).__name__
        if self.head not in said.heads:
            raise ConfigError(f"{name} needs a discriminator that scores every class: add 'strategy=[heads]'")
        if said.labels is None:
            raise ConfigError(f"{name} needs labels of all samples, and these have none")
        return said.heads[self.head].to(said.logits.dtype), said.labels  # which is never half precision
