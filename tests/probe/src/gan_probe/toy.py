"""Samples of any shape, of which all is known."""

from __future__ import annotations

import torch

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory

SPLITS = ("train", "test")


class Toy(DataSource):
    """Smooth random samples in (-1, 1), or random tokens; the extra `source` of a sample is the sample negated.

    Args:
        shape: of a sample; (T,) for tokens.
        samples: the number of samples in each split.
        vocabulary: the number of symbols of tokens; 0 for samples that are none.
        source: whether there is the extra `source`.
        seed: what the samples follow from.
    """

    def __init__(self, shape: list[int], samples: int, vocabulary: int, source: bool, seed: int) -> None:
        values = None if vocabulary else (-1.0, 1.0)
        of_one = (*shape, vocabulary) if vocabulary else tuple(shape)
        self.shape = DataShape(of_one, value_range=values, vocabulary=vocabulary)
        self.samples, self.source, self.seed = samples, source, seed
        self.mirrors = {"source": True} if source else {}

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        if split not in SPLITS:
            raise ConfigError(f"toy has no split {split!r}; it has {', '.join(SPLITS)}")
        random = torch.Generator().manual_seed(2 * self.seed + SPLITS.index(split))
        shape = self.shape.sample
        if self.shape.vocabulary:
            tokens = torch.randint(self.shape.vocabulary, (self.samples, *shape[:-1]), generator=random)
            return InMemory(tokens, vocabulary=self.shape.vocabulary)
        x = torch.randn(self.samples, *shape, generator=random).tanh()
        return InMemory(x, extra={"source": -x} if self.source else None)
