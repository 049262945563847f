"""What losses and terms ask of a discriminator beside its score."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import nn

from gan_framework.api import ConfigError, Discriminator, DiscriminatorOutput, Game


class ReadsHeads(ABC):
    """A loss or a term that reads what discriminators say only with `strategy=[heads]`.

    Attributes:
        asks_for_classes: whether the generator is to be told the class that its sample should have.
    """

    asks_for_classes: bool = False

    @abstractmethod
    def give_heads(self, game: Game, network: str) -> None:
        """Have a discriminator say what is read.

        Raises:
            ConfigError: it cannot; the message names the discriminator.
        """


class ClassScores(nn.Linear):
    """A last layer that scores every class and more, in the place of the one that gives a sample one score.

    Args:
        inputs: the size of the features.
        outputs: how many scores.
        loss: the loss that asks for them.
    """

    def __init__(self, inputs: int, outputs: int, loss: str) -> None:
        super().__init__(inputs, outputs)
        self.loss = loss


def say_more(critic: Discriminator, more: Callable[[nn.Module, DiscriminatorOutput], DiscriminatorOutput]) -> None:
    """Have a discriminator say what `more` makes of it and of what it says now."""
    critic.register_forward_hook(lambda network, _, said: more(network, said))


def add_head(critic: Discriminator, name: str, head: nn.Module) -> None:
    """Give a discriminator a head that reads its flat last features, unless it has one of that kind already.

    Raises:
        ConfigError: it has another head of that name.
    """
    if name in critic.heads and repr(critic.heads[name]) != repr(head):
        raise ConfigError(
            f"two terms read different heads `{name}` of {type(critic).__name__}, {critic.heads[name]} and {head}: "
            "give them the same settings"
        )
    if name not in critic.heads:
        critic.heads[name] = head


def require_unaware(game: Game, network: str, what: str) -> None:
    """See that a discriminator can tell classes from samples.

    Raises:
        ConfigError: the data have none, or it is given the class with the sample.
    """
    if not game.data.num_classes:
        raise ConfigError(
            f"{what} needs data with classes, and these have none; data=folder takes a folder of each class"
        )
    if getattr(game.network(network), "conditional", False):
        raise ConfigError(
            f"{what} has no effect on {type(game.network(network)).__name__}, which is given the class that it should "
            "tell from the sample; it goes with discriminators without labels (dcgan, mlp, resnet)"
        )
