"""What games share that edit images: targets that are asked for, conditions as maps, classes that judges tell."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import (
    SAMPLES,
    Batch,
    ConfigError,
    Game,
    Latent,
    Meeting,
    Pair,
    Player,
    Term,
    evaluation_mode,
    grid,
)
from gan_zoo.datasets.edited_digits import DIGIT, TARGET
from gan_zoo.layers import as_weights, given, one_hot
from gan_zoo.perceiving import FeatureClassifier, TrainOnClasses

CLASS = "class"
"""The head with which a judge tells classes or attributes."""


def conditions(labels: Tensor | None, count: int, dtype: torch.dtype) -> Tensor:
    """Return classes (N,) as one-hot vectors (N, count), and attributes (N, count) as they are.

    Raises:
        ValueError: there are none.
    """
    labels = given(labels)
    return (one_hot(labels, count) if labels.ndim == 1 else labels).to(dtype)


def beside_maps(x: Tensor, vectors: Tensor) -> Tensor:
    """Return maps (N, C, H, W) with each entry of vectors (N, K) as a constant map behind them, (N, C + K, H, W)."""
    return torch.cat([x, vectors.to(x.dtype)[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)


def class_loss(logits: Tensor, labels: Tensor | None) -> Tensor:
    """Return the mean cross entropy of class logits (N, K), or that of binary attributes (N, K), summed over these.

    Attributes are 0 or 1, or -1 or 1.
    """
    labels = given(labels)
    if labels.ndim == 1:
        return F.cross_entropy(logits.float() if logits.element_size() < 4 else logits, labels)
    wanted = (labels > 0).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, wanted, reduction="sum") / len(logits)


class ClassOfReal(Term):
    """The cross entropy of what the judge's head `class` says of real images, with their labels."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's real images."""
        return class_loss(pair.real_output.heads[CLASS], pair.batch.labels)


class ClassOfFake(Term):
    """The cross entropy of what the judge's head `class` says of generated images, with what was asked for."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's generated images."""
        return class_loss(pair.fake_output.heads[CLASS], pair.latent.labels)


class EditingGame(Game):
    """The base of games that make of each image one with another label, which is asked for.

    In training each image is asked to have the label of another one of its batch. For pictures and scores the extra
    `target` says what is asked for, where the data have it, and the truth can be known.
    """

    generates_from = SAMPLES

    @property
    def label_count(self) -> int:
        """The number of classes, or of attributes."""
        return self.data.num_classes or self.data.condition_dim

    def meet(self, batch: Batch, graph: bool = True) -> Meeting:
        """Ask for labels that are drawn anew, and generate."""
        return super().meet(replace(batch, extra={k: v for k, v in batch.extra.items() if k != TARGET}), graph)

    def latent_for(self, batch: Batch) -> Latent:
        """Return the images with the labels that are asked for."""
        target = batch.extra.get(TARGET)
        if target is None:
            labels = given(batch.labels)
            target = labels[torch.randperm(len(labels), device=labels.device)]
        return super().latent_for(batch)._replace(labels=target)

    def edit(self, x: Tensor, labels: Tensor | None, **further: Tensor) -> Tensor:
        """Return images (N, C, H, W) edited to have labels."""
        return self.generate(Latent(x.new_zeros(len(x), 0), labels, given={SAMPLES: x, **further}))

    def check(self) -> None:
        """See that there are labels to ask for.

        Raises:
            ConfigError: the data have none, or the networks do not fit.
        """
        if not self.label_count:
            raise ConfigError(
                f"{type(self).__name__} edits the labels of images, and these have none: choose labelled data, as "
                "data=digit_strokes"
            )
        super().check()

    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Draw each image followed by what it becomes with every class; None where labels are no classes."""
        count, x = self.data.num_classes, latent.given[SAMPLES]
        if not count or not self.data.is_8_bit or self.data.sample[0] not in (1, 3):
            return None
        across = max(columns // (count + 1), 1)
        part = latent.part(slice(max(len(x) // (count + 1) // across, 1) * across))
        images = part.given[SAMPLES]
        made = [self.sample(part._replace(labels=torch.full_like(given(part.labels), k))) for k in range(count)]
        return grid(torch.stack([images, *made], 1).flatten(0, 1), across * (count + 1))


class EncodingEditor(EditingGame):
    """The base of those that edit an image by what an encoder makes of it.

    Attributes:
        encoder_name: of the network that encodes.
    """

    encoder_name = "encoder"

    def code_of(self, x: Tensor) -> Tensor:
        """Return the codes (N, latent_dim) of images (N, C, H, W)."""
        with self.autocast():
            code: Tensor = self.network(self.encoder_name)(x)
        return code.to(x.dtype)

    @torch.no_grad()
    def sample(self, latent: Latent) -> Tensor:
        """Return edited images (N, C, H, W)."""
        with evaluation_mode(self.network(self.encoder_name)):
            return super().sample(latent)


class MirrorSymmetry(Term):
    """|g - mirror(g)|, a mean over entries: generated images are to be the same from left to right and back."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's generated images."""
        return (pair.fake - pair.fake.flip(-1)).abs().mean()


def learn_identity(game: Game, steps: int, lr: float) -> None:
    """Have the game's network `identity` learn, before the first step, whom images show; it is frozen then.

    That is the extra `digit`, or the labels where there is none.

    Raises:
        ConfigError: the network is missing or none that tells classes.
    """
    network = game.network("identity")
    if not isinstance(network, FeatureClassifier):
        raise ConfigError(
            f"networks.identity must be a feature_classifier, whose layers are compared, not {type(network).__name__}"
        )
    game.openings.append(TrainOnClasses(network, steps, lr, of=_labelled_by_identity))


def _labelled_by_identity(batch: Batch) -> Batch:
    return replace(batch, labels=batch.extra.get(DIGIT, batch.labels))


def identity_features(game: Game, x: Tensor) -> Tensor:
    """Return the hidden layer (N, D) in which the game's network `identity` sees whom images show."""
    network = game.network("identity")
    assert isinstance(network, FeatureClassifier)
    return network.layers(as_weights(x, network))[-1]


class SameIdentity(Term):
    """|F(x) - F(g)|, a mean over entries of the hidden layer of the frozen network `identity`."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        with torch.no_grad():
            real = identity_features(self.game, pair.real)
        return (real - identity_features(self.game, pair.fake)).abs().mean()
