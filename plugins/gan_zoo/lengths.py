"""Sequences of different lengths: where they end, and means that their padding has no part in.

Data whose sequences differ in length say so by the extra `lengths` (N,), int64. Tokens after the end are symbol 0, and
all values of a series 0; so that where a sequence ends can be seen in it too, generated ones included.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape

LENGTHS = "lengths"
"""The extra that says how many steps of each sequence are its own."""


def are_padded(shape: DataShape) -> bool:
    """Return whether sequences of data are of different lengths."""
    return LENGTHS in shape.extra


def with_lengths(shape: DataShape, padded: bool) -> DataShape:
    """Return the shape of data that say the length of each sequence, if they are padded."""
    if not padded:
        return shape
    return shape._replace(extra={**shape.extra, LENGTHS: ()}, integers=(*shape.integers, LENGTHS))


def require_one_length(shape: DataShape, game: str) -> None:
    """Raise ConfigError if sequences are of different lengths, for a game that would take their padding for values."""
    if are_padded(shape):
        raise ConfigError(
            f"{game} takes series of one length, and these data have the extra {LENGTHS!r}: leave it out (with "
            "data=series data.shortest=null), or choose experiment=rgan"
        )


def inside(lengths: Tensor, steps: int) -> Tensor:
    """Return whether steps (N, T) lie before the end of sequences of so many steps (N,)."""
    return torch.arange(steps, device=lengths.device) < lengths[:, None]


def lengths_of_tokens(tokens: Tensor) -> Tensor:
    """Return the number of tokens (N,) before the first padding, symbol 0, of sequences (N, T)."""
    return (tokens != 0).long().cumprod(1).sum(1)


def lengths_of_series(series: Tensor) -> Tensor:
    """Return the number of steps (N,) up to the last one of series (N, F, T) at which a value is not 0."""
    return (series != 0).any(1).flip(1).long().cummax(1).values.sum(1)


def counted(tokens: Tensor) -> Tensor:
    """Return which tokens (N, T) are told by a source: those before the first padding, and that, which is the end."""
    return inside(told(tokens), tokens.shape[1])


def told(tokens: Tensor) -> Tensor:
    """Return how many tokens of sequences (N, T) are told by a source (N,): see `counted`."""
    return (lengths_of_tokens(tokens) + 1).clamp(max=tokens.shape[1])


def ended(tokens: Tensor) -> Tensor:
    """Return sequences (N, T) with nothing but padding after the first."""
    return tokens * inside(lengths_of_tokens(tokens), tokens.shape[1])


def mean_inside(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of those values (N, T) that a mask (N, T) leaves; 0 where it leaves none."""
    return torch.where(mask, values, 0).sum() / mask.sum().clamp(min=1)
