"""From a conditional generator of word vectors to the words that describe a condition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, Game, load_game, seeding


def describe(
    run: Path,
    conditions: ArrayLike,
    words: Sequence[str],
    vectors: ArrayLike,
    draws: int = 100,
    nearest: int = 20,
    keep: int = 10,
    seed: int = 0,
) -> list[list[str]]:
    """Return the words that a trained model finds for conditions, the most frequent first.

    Args:
        run: a run's folder or a checkpoint; no data set is needed.
        conditions: condition vectors (N, K), for example image features.
        words: the vocabulary (W).
        vectors: the words' vectors (W, D).
        draws: generated vectors for each condition.
        nearest: the words that each generated vector votes for, nearest by cosine.
        keep: the words to return for each condition.
        seed: what the draws follow from.

    Raises:
        ConfigError: there is no intact checkpoint, or the shapes do not fit the model.
    """
    game, _ = load_game(run)
    found = most_frequent_words(game, _float(conditions), _float(vectors), draws, nearest, keep, seed)
    return [[words[i] for i in row] for row in found.tolist()]


def most_frequent_words(
    game: Game,
    conditions: Tensor,
    vocabulary: Tensor,
    draws: int = 100,
    nearest: int = 20,
    keep: int = 10,
    seed: int = 0,
) -> Tensor:
    """Return the indices (N, keep) of words for conditions (N, K), as in Mirza & Osindero 2014, section 4.2.

    For each condition 100 vectors are drawn, each votes for the 20 words nearest by cosine, and the
    10 words with the most votes are kept, the most frequent first.

    Args:
        game: a game whose generator is conditioned on vectors.
        conditions: condition vectors (N, K).
        vocabulary: the words' vectors (W, D).
        draws: generated vectors for each condition.
        nearest: the words that each generated vector votes for.
        keep: the words to return for each condition.
        seed: what the draws follow from.

    Raises:
        ConfigError: the shapes do not fit the game, or there are fewer words than are to be found.
    """
    wanted = (game.data.condition_dim, *game.data.sample)
    if (conditions.shape[1], vocabulary.shape[1]) != wanted:
        raise ConfigError(
            f"conditions of size {conditions.shape[1]} and words of size {vocabulary.shape[1]} do not fit this model, "
            f"which takes conditions of size {wanted[0]} and makes vectors of size {wanted[1]}"
        )
    if len(vocabulary) < max(nearest, keep):
        raise ConfigError(f"nearest={nearest} keep={keep}: the vocabulary has only {len(vocabulary)} words")
    latent = game.latent(draws * len(conditions), None, seeding.generator(seed, "tags"))
    repeated = conditions.to(game.device).repeat_interleave(draws, dim=0)
    drawn = game.sample(latent._replace(labels=repeated)).cpu()
    counts = votes(drawn, vocabulary, nearest).view(-1, draws, len(vocabulary)).sum(1)
    return counts.topk(keep).indices


def votes(vectors: Tensor, vocabulary: Tensor, nearest: int) -> Tensor:
    """Return 1 for each of the `nearest` words by cosine (W, D) of each vector (N, D), else 0: (N, W)."""
    similarity = F.normalize(vectors) @ F.normalize(vocabulary).T
    return torch.zeros_like(similarity).scatter_(1, similarity.topk(nearest).indices, 1.0)


def _float(values: ArrayLike) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32)
