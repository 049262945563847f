"""Pairs of condition vectors and word vectors with a known relation, made on the spot."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.ranges import require_not_negative


class PairedVectors(DataSource):
    """Word vectors (samples) with condition vectors (labels), both scattered around one of several topics.

    It stands for images and the words that describe them (Mirza & Osindero 2014, section 4.2): a
    condition vector is its topic's prototype with noise, as image features are, and its sample is the
    vector of one of the topic's words, which lie close together, as in a word embedding. So the right
    words for a condition are known: those of its topic.

    Attributes:
        vocabulary: the words' vectors (topics * words, channels); word w belongs to topic w // words.

    Args:
        image_size: null, as the samples are no images.
        channels: the size of a word vector.
        num_classes: 0, as the labels are no classes.
        condition_dim: the size of a condition vector.
        topics: how many.
        words: words of each topic.
        samples: pairs in the split `train`; `test` has a tenth.
        noise: the deviation of condition vectors around their prototypes, whose entries have deviation 1.
    """

    def __init__(
        self,
        image_size: None,
        channels: int,
        num_classes: int,
        condition_dim: int,
        topics: int,
        words: int,
        samples: int,
        noise: float,
    ) -> None:
        if image_size is not None:
            raise ConfigError(f"data.image_size={image_size} must be null: the samples of paired_vectors are vectors")
        known_classes("paired_vectors", num_classes, 0)
        least = {"channels": 1, "condition_dim": 1, "topics": 1, "words": 1, "samples": 10}
        given = {"channels": channels, "condition_dim": condition_dim, "topics": topics, "words": words}
        for setting, value in (given | {"samples": samples}).items():
            if value < least[setting]:
                raise ConfigError(f"data.{setting}={value} must be at least {least[setting]}")
        require_not_negative(noise=noise)
        self.shape = DataShape((channels,), 0, condition_dim)
        self.topics, self.words, self.samples, self.noise = topics, words, samples, noise
        random = seeding.generator(0, "paired vectors")
        self.prototypes = torch.randn(topics, condition_dim, generator=random)
        centres = torch.randn(topics, 1, channels, generator=random)
        scattered = centres + 0.5 * torch.randn(topics, words, channels, generator=random)
        self.vocabulary = F.normalize(scattered.flatten(0, 1)) * channels**0.5

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("paired_vectors", split, ("train", "test"))
        n = self.samples if split == "train" else self.samples // 10
        random = seeding.generator(0, "paired vectors", split)
        word = torch.randint(len(self.vocabulary), (n,), generator=random)
        noise = torch.randn(n, self.shape.condition_dim, generator=random)
        return InMemory(self.vocabulary[word], self.prototypes[word // self.words] + self.noise * noise)

    def topics_of(self, conditions: Tensor) -> Tensor:
        """Return the topics (N,) whose prototypes are nearest to condition vectors (N, condition_dim)."""
        return torch.cdist(conditions.cpu(), self.prototypes).argmin(1)
