"""Retrieval by binary codes."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, FeatureSet, Game, Metric, seeding
from gan_zoo.metrics.encoding import require_codes, through
from gan_zoo.ranges import require_positive

CHUNK = 100
"""Queries at a time, which bounds the lists of all that is ranked."""


class HammingMAP(Metric):
    """The mean average precision with which test samples find training samples of their class, by codes' signs.

    Training samples are ranked by the number of bits that differ; what is equally far is in a random order, of which
    the expectation is taken (McSherry & Najork 2008, section 3). Beside it stands the score of as many bits that random
    hyperplanes through the training samples' mean tell of the pixels (Charikar 2002), which need no training.

    Args:
        queries: how many test samples are looked for, evenly spread.
        database: how many training samples are ranked, evenly spread.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"hamming_map": True}
    legend: ClassVar[dict[str, str]] = {
        "hamming_map": "mean average precision of training samples of a class, ranked by differing bits, 0 to 1",
        "hamming_map_hyperplanes": "the same by as many random hyperplanes of the pixels",
    }
    needs_labels: ClassVar[bool] = True
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("train", "test")

    def __init__(self, queries: int, database: int) -> None:
        require_positive(queries=queries, database=database)
        self.queries, self.database = queries, database

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game has no codes."""
        require_codes(game, "hamming_map")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return both scores."""
        game = comparison.game
        assert game is not None
        splits = [comparison.split(name) for name in ("train", "test")]
        chosen = [_spread(split, most) for split, most in zip(splits, (self.database, self.queries), strict=True)]
        (known, asked), (labels, wanted) = (
            [through(game, *of, game.code_of).flatten(1) >= 0 for of in zip(splits, chosen, strict=True)],  # type: ignore[arg-type]
            [_labels(*of) for of in zip(splits, chosen, strict=True)],
        )
        pixels = [through(game, *of, lambda x: x).flatten(1).double() for of in zip(splits, chosen, strict=True)]
        guesses = hyperplanes(pixels[0], known.shape[1])
        plain = [(x - pixels[0].mean(0)) @ guesses >= 0 for x in pixels]
        return {
            "hamming_map": hamming_map(asked, known, wanted, labels),
            "hamming_map_hyperplanes": hamming_map(plain[1], plain[0], wanted, labels),
        }


def _spread(split: FeatureSet, most: int) -> Tensor:
    return torch.linspace(0, len(split.features) - 1, min(len(split.features), most)).long()


def _labels(split: FeatureSet, chosen: Tensor) -> Tensor:
    assert split.labels is not None
    return split.labels[chosen]


def hyperplanes(x: Tensor, bits: int) -> Tensor:
    """Return random directions (D, bits) for vectors x (N, D), the same each time."""
    random = seeding.generator(0, "hyperplanes", bits)
    return torch.randn(x.shape[1], bits, generator=random, dtype=x.dtype)


def hamming_map(queries: Tensor, database: Tensor, wanted: Tensor, labels: Tensor) -> float:
    """Return the mean average precision of a ranking by differing bits.

    Args:
        queries: codes (Q, K), bool.
        database: codes (M, K), bool.
        wanted: the classes of the queries (Q,).
        labels: those of the database (M,).
    """
    found = []
    for asked, classes in zip(queries.split(CHUNK), wanted.split(CHUNK), strict=True):
        distances = (asked[:, None] ^ database[None]).sum(2)
        found.append(tied_average_precision(distances, classes[:, None] == labels[None]))
    return float(torch.cat(found).mean())


def tied_average_precision(distances: Tensor, relevant: Tensor) -> Tensor:
    """Return the expectation (Q,) of the average precision where items equally far are in a random order.

    Of n items equally far, r relevant, with R relevant ones among the N before them, the i-th is relevant with
    probability r / n, and then R + (i - 1)(r - 1) / (n - 1) relevant ones before it are expected.

    Args:
        distances: of items (Q, M), whole numbers from 0.
        relevant: which are relevant (Q, M), bool; 0 is returned where none is.
    """
    levels, order = distances.long().sort(1)
    hits = relevant.gather(1, order).double()
    steps = int(levels.max()) + 1
    sizes, right = (
        torch.zeros(len(levels), steps, dtype=torch.float64).scatter_add_(1, levels, of)
        for of in (torch.ones_like(hits), hits)
    )
    n, r, before, right_before = (
        of.gather(1, levels) for of in (sizes, right, sizes.cumsum(1) - sizes, right.cumsum(1) - right)
    )
    place = torch.arange(1, levels.shape[1] + 1, dtype=torch.float64)
    ahead = right_before + (place - before - 1) * (r - 1) / (n - 1).clamp(min=1)
    precision = r / n * (ahead + 1) / place
    return precision.sum(1) / hits.sum(1).clamp(min=1)
