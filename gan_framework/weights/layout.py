"""The layout in which weights lie in memory."""

from __future__ import annotations

from itertools import chain

from torch import nn

from gan_framework.data.memory import LAYOUTS


def choose_layouts(networks: nn.Module) -> None:
    """Store the weights of convolutions in the layout in which they are fastest."""
    for tensor in chain(networks.parameters(), networks.buffers()):
        if tensor.ndim in LAYOUTS:
            tensor.data = tensor.data.to(memory_format=LAYOUTS[tensor.ndim])
