"""From samples as they are stored to what networks see."""

from __future__ import annotations

import torch
from torch import Tensor


def encoded(stored: Tensor, vocabulary: int = 0) -> Tensor:
    """Return samples or extras as networks see them.

    Args:
        stored: 8-bit images, volumes or videos (N, ...) uint8, tokens (N, T) int64, or anything else.
        vocabulary: the number V of symbols where they are tokens, else 0.

    Returns:
        8-bit samples float32 in [-1, 1], tokens float32 one-hot (N, T, V), and what is neither as it is.
    """
    if vocabulary:
        return one_hot(stored, vocabulary)
    if stored.dtype == torch.uint8:
        return stored.to(torch.float32).div_(127.5).sub_(1.0)
    return stored


def one_hot(tokens: Tensor, vocabulary: int) -> Tensor:
    """Return tokens (N, T) int64 from 0 to V - 1 as float32 (N, T, V)."""
    # torch's own makes int64, which takes twice the memory, and then a copy.
    zeros = torch.zeros(*tokens.shape, vocabulary, device=tokens.device)
    return zeros.scatter_(-1, tokens[..., None], 1.0)


def describe(tensor: Tensor) -> str:
    """Return a tensor's type and shape in words, for messages: `uint8 (20, 3, 8, 8)`."""
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
