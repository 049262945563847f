"""Shares of bits' settings, to be held against the probabilities that a graph says."""

import torch


def joint_of(bits):
    """Return the share of each setting (2,) * B, float64, among bits (N, B)."""
    rows, width = len(bits), bits.shape[1]
    index = (bits.long() * 2 ** torch.arange(width - 1, -1, -1, device=bits.device)).sum(1)
    return index.bincount(minlength=2**width).double().view((2,) * width).cpu() / rows


def total_variation(a, b):
    """Return half the sum of the absolute differences of two tables, 0 to 1."""
    return 0.5 * float((a - b).abs().sum())
