"""Sizes of networks, without the memory or the time that they take."""

import torch


def parameters(network, *settings):
    """How many parameters a network has, built on the meta device."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in network(*settings).parameters())
