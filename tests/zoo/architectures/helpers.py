"""Networks without memory, and what is counted of them."""

import torch


def meta(network, *settings, **named):
    """Build a network on the meta device: shapes without numbers."""
    with torch.device("meta"):
        return network(*settings, **named)


def count(network):
    """Return the number of a network's parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def noise(*shape):
    """Return a tensor of some shape on the meta device."""
    return torch.zeros(*shape, device="meta")


def classes(n=2):
    """Return class indices (n,) on the meta device."""
    return torch.zeros(n, dtype=torch.long, device="meta")
