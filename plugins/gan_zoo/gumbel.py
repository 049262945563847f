"""Symbols drawn so that a gradient goes through: Gumbel-softmax and straight-through.

Jang et al. 2016 (arXiv 1611.01144) and Maddison et al. 2016 (arXiv 1611.00712): argmax(logits + Gumbel) has the law
softmax(logits), and softmax((logits + Gumbel) / τ) goes to it as τ goes to 0.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

WAYS = ("softmax", "gumbel", "straight_through")


def gumbel_noise(like: Tensor) -> Tensor:
    """Return noise -log(-log u) of a tensor's shape, u uniform."""
    return -torch.empty_like(like).exponential_().log()


def relaxed(logits: Tensor, temperature: float, way: str) -> Tensor:
    """Return symbols (..., V) of logits, through which a gradient goes.

    Args:
        logits: (..., V).
        temperature: τ.
        way: `softmax` of the logits without noise; `gumbel`, with noise; or `straight_through`, the one-hot symbol of
            the greatest noisy logit, whose gradient is that of `gumbel`.
    """
    if way == "softmax":
        return (logits / temperature).softmax(-1)
    soft = ((logits + gumbel_noise(logits)) / temperature).softmax(-1)
    if way == "gumbel":
        return soft
    hard = F.one_hot(soft.argmax(-1), logits.shape[-1]).to(soft)
    return hard + soft - soft.detach()
