"""Networks without values: built on the meta device, their layers traced by running them once."""

import torch
from torch import nn


def meta(factory, *arguments, **settings):
    """Build a network whose tensors have shapes only, so that even the largest is quick."""
    with torch.device("meta"):
        return factory(*arguments, **settings)


def layers(network, *inputs):
    """Return `Name CxHxW` for every leaf layer, in the order in which they run, without the batch."""
    found, handles = [], []
    for module in network.modules():
        if not list(module.children()):
            handles.append(module.register_forward_hook(lambda m, _, out: found.append(describe(m, out))))
    network(*inputs)
    for handle in handles:
        handle.remove()
    return found


def describe(module: nn.Module, out: torch.Tensor) -> str:
    return f"{type(module).__name__} {'x'.join(map(str, out.shape[1:]))}"


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def latents(dim, n=2):
    return torch.zeros(n, dim, device="meta")


def images(channels, size, n=2):
    return torch.zeros(n, channels, size, size, device="meta")


def classes(n=2):
    return torch.zeros(n, dtype=torch.long, device="meta")
