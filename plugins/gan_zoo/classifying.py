"""What games share in which a network tells classes, learnt from a few labelled samples beside many without labels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    Batch,
    Components,
    ConfigError,
    Discriminator,
    DiscriminatorOutput,
    Game,
    Latent,
    Pair,
    Player,
    Term,
)
from gan_zoo.heads import ClassScores, add_head, say_more

LABELLED = "labelled"
"""The further source of the few samples whose classes are known."""

CLASS = "class"
"""What the scores of classes (N, K) are called among what a network says of samples."""

Logit = Callable[[Tensor], Tensor]
"""From scores of classes (N, K) to how real samples are (N,)."""


def any_class(scores: Tensor) -> Tensor:
    """Return Z = log Σ_k exp(l_k) (N,) of scores l (N, K): how much a sample is of any class at all."""
    return scores.logsumexp(1)


def entropies(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Return H(E p) and E H(p), in nats, of the distributions p of classes that scores (N, K) are the logits of."""
    log_p = scores.log_softmax(1)
    # From logarithms, so that a class that nobody is of has a gradient that is a number.
    log_mean = log_p.logsumexp(0) - math.log(len(log_p))
    return -(log_mean.exp() * log_mean).sum(), -(log_p.exp() * log_p).sum(1).mean()


def without_labels(batch: Batch) -> Batch:
    """Return a batch whose labels nobody can read; those of further sources stay."""
    return replace(batch, labels=None)


class ClassifyingGame(Game):
    """The base of games with a network that tells the class of samples.

    Attributes:
        classifier: the name of that network, which says the scores as `class`.
    """

    classifier: ClassVar[str] = "discriminator"

    def classify(self, x: Tensor) -> Tensor:
        """Return the scores (N, K) of the classes of samples x (N, ...)."""
        said = self.judge(self.classifier)(x)
        return said.heads[CLASS].to(said.logits.dtype)  # which is never half precision

    def last_layer(self, name: str) -> nn.Linear:
        """Return the last layer of a network that scores samples.

        Raises:
            ConfigError: it is none that can be read, or it is given the class that it should tell.
        """
        network = self.network(name)
        if not isinstance(network, Discriminator) or network.patches or not isinstance(network.output, nn.Linear):
            raise ConfigError(
                f"{type(self).__name__} tells classes by networks.{name}, and {type(network).__name__} has no linear "
                "last layer: choose noisy_mlp, mlp, dcgan or resnet"
            )
        if network.conditional:
            raise ConfigError(
                f"{type(self).__name__} tells classes by networks.{name}, and {type(network).__name__} is given them: "
                "choose noisy_mlp, mlp, dcgan or resnet"
            )
        return network.output

    def score_classes(self, name: str, num_classes: int, logit: Logit = any_class) -> None:
        """Let a network's last layer score classes, in the place of how real a sample is.

        Raises:
            ConfigError: its last layer cannot be replaced.
        """
        inputs, network = self.last_layer(name).in_features, self.network(name)
        assert isinstance(network, Discriminator)
        network.output = ClassScores(inputs, num_classes, type(self).__name__)

        def told(_: nn.Module, said: DiscriminatorOutput) -> DiscriminatorOutput:
            scores = said.logits.view(-1, num_classes)  # where there is one class, its axis has been left out
            return said._replace(logits=logit(scores), heads={**said.heads, CLASS: scores})

        say_more(network, told)

    def tell_classes(self, name: str, num_classes: int) -> None:
        """Give a network a head of class scores beside its one score.

        Raises:
            ConfigError: it takes none.
        """
        inputs, network = self.last_layer(name).in_features, self.network(name)
        assert isinstance(network, Discriminator)
        add_head(network, CLASS, nn.Linear(inputs, num_classes))


class UnlabelledGame(ClassifyingGame):
    """The base of games that never read the labels of the data, if these have any."""

    def latent_for(self, batch: Batch) -> Latent:
        """Return latents without labels."""
        return super().latent_for(without_labels(batch))

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the samples without labels and the generated ones."""
        return super().pair(without_labels(batch), latent)


class LabelledGame(UnlabelledGame):
    """The base of games that learn classes from the source `labelled`, beside many samples without labels."""

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        self.num_classes = labelled_classes(self)


def labelled_classes(game: Game) -> int:
    """Return the number of classes of the source `labelled`.

    Raises:
        ConfigError: there is no such source, it has no classes, or its samples are of another shape.
    """
    name, others = type(game).__name__, game.data.others
    if LABELLED not in others or not others[LABELLED].num_classes:
        raise ConfigError(
            f"{name} learns classes from the source {LABELLED!r}, and "
            + ("it has no classes" if LABELLED in others else "there is none")
            + f": add +data@sources.{LABELLED}=few_labels, or other labelled data"
        )
    if others[LABELLED].sample != game.data.sample:
        raise ConfigError(
            f"{name}: samples of sources.{LABELLED} are {others[LABELLED].sample}, and those of data "
            f"{game.data.sample}: they must be alike"
        )
    return others[LABELLED].num_classes


class LabelledError(Term):
    """E CE(l(x), y): the cross entropy of the classes of the labelled samples, in nats."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch of the source `labelled`."""
        game, few = self.game, pair.batch.others[LABELLED]
        assert isinstance(game, ClassifyingGame) and few.labels is not None
        return F.cross_entropy(game.classify(few.samples), few.labels)


class ClassError(Term):
    """E CE(h(x), y), the cross entropy of the classes of one side's samples, said by the judge, in nats.

    Args:
        side: `real`, whose classes are known, or `fake`, which were asked for theirs.
    """

    def __init__(self, side: str) -> None:
        super().__init__()
        self.side = side

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the samples of that side."""
        said, labels = class_scores(getattr(pair, f"{self.side}_output")), getattr(pair, f"{self.side}_labels")
        return F.cross_entropy(said, labels)


def class_scores(said: DiscriminatorOutput) -> Tensor:
    """Return the scores of classes (N, K) among what a judge says."""
    return said.heads[CLASS].to(said.logits.dtype)


class ToldError(Term):
    """E CE(C(x), y), the cross entropy of the classes of the real samples, said by the game's classifier, in nats."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's real samples."""
        game, labels = self.game, pair.real_labels
        assert isinstance(game, ClassifyingGame) and labels is not None
        return F.cross_entropy(game.classify(pair.real), labels)


def require_classes(game: Game, conditional: bool = True) -> int:
    """Return the number of classes of the data.

    Args:
        game: a game that is given the classes of all samples.
        conditional: whether its generator has to be told the class of what it makes.

    Raises:
        ConfigError: there are none, or the generator cannot be told.
    """
    name = type(game).__name__
    if not game.data.num_classes:
        raise ConfigError(
            f"{name} needs data with classes, and these have none; data=folder takes a folder of each class"
        )
    if conditional and not game.conditional:
        raise ConfigError(
            f"{name} asks the generator for classes, and {type(game.generator).__name__} takes none: choose "
            "dcgan_conditional, cgan_mlp or resnet_projection"
        )
    return game.data.num_classes
