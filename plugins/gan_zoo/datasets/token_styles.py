"""Tokens in two styles, of which the other style's version is known."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.grammars import Markov


class InStyle(InMemory):
    """Sequences that know what each is in the other style."""

    def read_truth(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return the same sequences in the other style, (n, T) int64."""
        return (self.read(indices) + 10) % 20


class TokenStyles(DataSource):
    """Sequences of the source `markov`: in the style `low` of the symbols 0 to 9, in `high` of 10 to 19, not in pairs.

    Args:
        length: T.
        vocabulary: 20.
        num_classes: 2, the styles.
        samples: of each split, half of them in either style.
    """

    classes = ("low", "high")

    def __init__(self, length: int, vocabulary: int, num_classes: int | None, samples: int) -> None:
        known_classes("token_styles", num_classes, 2)
        if length < 1 or vocabulary != 20 or samples < 2:
            raise ConfigError(
                f"data.length={length} data.vocabulary={vocabulary} data.samples={samples}: there is at least one of "
                "20 symbols, and two samples"
            )
        self.samples = samples
        self.symbols = tuple("abcdefghijABCDEFGHIJ")
        self._grammar = Markov(length, 10)
        self.shape = DataShape((length, 20), 2, vocabulary=20)

    def load(self, split: str) -> InStyle:
        """Return a split, `train` or `test`."""
        known_split("token_styles", split, ("train", "test"))
        content = self._grammar.sample(self.samples, seeding.generator(0, "token styles", split))
        labels = torch.arange(self.samples) % 2
        return InStyle(content + 10 * labels[:, None], labels, vocabulary=20)
