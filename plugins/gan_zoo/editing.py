"""What games share that edit images: targets that are asked for, conditions as maps, classes that judges tell."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import SAMPLES, Batch, ConfigError, Game, Latent, Meeting, Pair, Player, Term, grid
from gan_zoo.layers import given, one_hot

TARGET = "target"
"""The extra that says what pictures and scores ask an image to become, so that its truth can be known."""

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


class MirrorSymmetry(Term):
    """|g - mirror(g)|, a mean over entries: generated images are to be the same from left to right and back."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's generated images."""
        return (pair.fake - pair.fake.flip(-1)).abs().mean()
