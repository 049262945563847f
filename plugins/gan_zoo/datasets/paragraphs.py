"""Made paragraphs: a sentence for each thing of a scene, in an order that the things decide."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_split

SIZES, COLOURS, SHAPES = ("small", "large"), ("red", "green", "blue", "white"), ("circle", "square", "triangle")
WORDS = (*SIZES, *COLOURS, *SHAPES)
SENTENCE = 3
"""Words of a sentence: a size, a colour, a shape."""


class Paragraphs(DataSource):
    """Sequences of sentences of three words, one for each thing: large ones first, then by colour, then by shape.

    The extra `regions` (things, 9) says of each thing, in any order, what it is: the size, the colour and the shape,
    one-hot. No two things of a scene are alike.

    Args:
        things: of a scene.
        length: of a paragraph, three words for each thing.
        vocabulary: 9.
        samples: of each split.
    """

    symbols = WORDS

    def __init__(self, things: int, length: int, vocabulary: int, samples: int) -> None:
        if not 1 <= things <= 24 or length != SENTENCE * things or vocabulary != len(WORDS) or samples < 1:
            raise ConfigError(
                f"data.things={things} data.length={length} data.vocabulary={vocabulary} data.samples={samples}: there "
                f"are 1 to 24 things of {SENTENCE} words each, {len(WORDS)} words, and at least one sample"
            )
        self.things, self.samples = things, samples
        self.shape = DataShape((length, vocabulary), vocabulary=vocabulary, extra={"regions": (things, vocabulary)})

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("paragraphs", split, ("train", "test"))
        random = seeding.generator(0, "paragraphs", split)
        kinds = torch.rand(self.samples, 24, generator=random).argsort(1)[:, : self.things]  # none twice
        # Numbered such that large ones come first, then by colour, then by shape.
        ordered = kinds.sort(1).values
        tokens = self._words(ordered).flatten(1)
        regions = F.one_hot(self._words(kinds), len(WORDS)).sum(2).float()
        return InMemory(tokens, None, {"regions": regions}, vocabulary=len(WORDS))

    def _words(self, kinds: torch.Tensor) -> torch.Tensor:
        """Return the words (N, things, 3) of kinds of things (N, things), 0 to 23."""
        size = 1 - torch.div(kinds, 12, rounding_mode="floor")
        colour = torch.div(kinds, 3, rounding_mode="floor") % 4
        return torch.stack([size, 2 + colour, 6 + kinds % 3], 2)
