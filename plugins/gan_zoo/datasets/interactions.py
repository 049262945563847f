"""Made data of retrieval: what users like, and two kinds of vectors of the same things."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split

SHARE = 0.1
"""The share of items that a user likes."""


def liked(users: int, items: int, factors: int) -> tuple[Tensor, Tensor]:
    """Return what users like in the split `train` and in `test`, (U, I) bool each, half of it in either.

    Users and items are normal vectors of so many factors; each user likes the tenth of items with the greatest product.
    """
    random = seeding.generator(0, "interactions")
    tastes = torch.randn(users, factors, generator=random) @ torch.randn(factors, items, generator=random)
    count = max(round(SHARE * items), 2)
    best = tastes.topk(count).indices
    mixed = best.gather(1, torch.rand(users, count, generator=random).argsort(1))
    found = []
    for part in (mixed[:, : count // 2], mixed[:, count // 2 :]):
        found.append(torch.zeros(users, items).scatter(1, part, 1.0).bool())
    return found[0], found[1]


class Interactions(DataSource):
    """Pairs of a user, the label, and an item that the user likes, a sequence of one token.

    The extra `positives` (I,) holds ones for all items that the user likes in the split `train`.

    Args:
        length: 1.
        vocabulary: I, the number of items.
        num_classes: U, the number of users.
        factors: of tastes.
    """

    def __init__(self, length: int, vocabulary: int, num_classes: int, factors: int) -> None:
        if length != 1 or vocabulary < 20 or num_classes < 1 or factors < 1:
            raise ConfigError(
                f"data.length={length} data.vocabulary={vocabulary} data.num_classes={num_classes} "
                f"data.factors={factors}: one item, of at least 20, and at least one user and one factor"
            )
        self._liked = dict(zip(("train", "test"), liked(num_classes, vocabulary, factors), strict=True))
        self.symbols = tuple(map(str, range(vocabulary)))
        self.shape = DataShape((1, vocabulary), num_classes, vocabulary=vocabulary, extra={"positives": (vocabulary,)})

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("interactions", split, ("train", "test"))
        users, items = self._liked[split].nonzero(as_tuple=True)
        positives = self._liked["train"].float()[users]
        return InMemory(items[:, None], users, {"positives": positives}, vocabulary=len(self.symbols))


class TwoModal(DataSource):
    """Image vectors with the extra `text`, vectors of the same things: of a class, and of four values that both share.

    Each is a class mean in a random basis of its own, the shared values in another one, and noise.

    Args:
        channels: the size of an image vector.
        text: the size of a text vector.
        num_classes: the number of classes.
        noise: the deviation of the noise.
        samples: of each split.
        image_size: null, as the samples are no images.
    """

    shared = 4

    def __init__(
        self,
        channels: int,
        text: int,
        num_classes: int | None,
        noise: float,
        samples: int,
        image_size: None = None,
    ) -> None:
        count = num_classes or 0
        known_classes("two_modal", num_classes, count)
        if channels < 1 or text < 1 or count < 2 or noise < 0 or samples < 1 or image_size is not None:
            raise ConfigError(
                f"data.channels={channels} data.text={text} data.num_classes={num_classes} data.noise={noise} "
                f"data.samples={samples} data.image_size={image_size}: sizes of at least 1, two classes, no negative "
                "noise, and no image_size"
            )
        self.noise, self.samples, self.classes_known = noise, samples, count
        self.shape = DataShape((channels,), count, extra={"text": (text,)})

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("two_modal", split, ("train", "test"))
        fixed = seeding.generator(0, "two modal")
        random = seeding.generator(0, "two modal", split)
        labels = torch.arange(self.samples) % self.classes_known
        common = torch.randn(self.samples, self.shared, generator=random)
        found = []
        for size in (*self.shape.sample, *self.shape.extra["text"]):
            means = torch.randn(self.classes_known, size, generator=fixed)
            basis = torch.randn(self.shared, size, generator=fixed) / self.shared**0.5
            noise = torch.randn(self.samples, size, generator=random)
            found.append(means[labels] + common @ basis + self.noise * noise)
        return InMemory(found[0], labels, {"text": found[1]})
