"""Waves: emphasis, loudness of what is wrong in them."""

from __future__ import annotations

import torch
from torch import Tensor


def emphasised(x: Tensor, factor: float) -> Tensor:
    """Return waves (..., T) with y_t = x_t - factor · x_t-1: high frequencies are louder."""
    return torch.cat([x[..., :1], x[..., 1:] - factor * x[..., :-1]], -1)


def deemphasised(y: Tensor, factor: float) -> Tensor:
    """Return waves (..., T) with x_t = y_t + factor · x_t-1, the inverse of `emphasised`."""
    if not factor:
        return y
    found, before = [], torch.zeros_like(y[..., 0])
    for value in y.unbind(-1):
        before = value + factor * before
        found.append(before)
    return torch.stack(found, -1)


def snr(truth: Tensor, other: Tensor) -> Tensor:
    """Return the signal-to-noise ratios (N,) in dB of waves (N, C, T) beside the true ones."""
    power = truth.double().square().flatten(1).sum(1)
    noise = (other.double() - truth.double()).square().flatten(1).sum(1)
    return 10 * (power.clamp(min=1e-12) / noise.clamp(min=1e-12)).log10()
