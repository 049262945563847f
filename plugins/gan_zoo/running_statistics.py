"""Batch norm whose running statistics follow only some of what a network makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def running_statistics_kept(network: nn.Module) -> Iterator[None]:
    """Have batch norm normalise by a batch's statistics inside the context, and its running ones stay as they are."""
    followed = [layer for layer in network.modules() if isinstance(layer, _BatchNorm) and layer.track_running_stats]
    momenta = [layer.momentum for layer in followed]
    for layer in followed:
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum in zip(followed, momenta, strict=True):
            layer.momentum = momentum
