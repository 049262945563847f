"""Whether a discriminator judges each sample by itself."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import functional_call

from gan_framework.core.contracts.networks import Discriminator
from gan_framework.core.records import DiscriminatorOutput


def judges_each_alone(discriminator: Discriminator, shape: tuple[int, ...], labels: Tensor | None) -> bool:
    """Return whether what a discriminator in training says of a sample depends on that sample alone.

    It does not where batch norm or minibatch discrimination mixes a batch: there the first sample's output has a
    gradient with respect to the second sample. Neither the network nor torch's random numbers are changed.

    Args:
        discriminator: on any device.
        shape: of one sample.
        labels: of two samples, on the discriminator's device, or None.
    """
    first = next(discriminator.parameters())
    with torch.random.fork_rng([first.device] if first.device.type == "cuda" else []):
        # All but alike, because minibatch discrimination is blind to what is far apart.
        x = 1e-3 * torch.randn(2, *shape, dtype=first.dtype, device=first.device)
        x.requires_grad_()
        state = {name: buffer.clone() for name, buffer in discriminator.named_buffers()}
        # Shaken, because a branch whose weights begin at zero hides what it will do.
        state |= {name: (p + 0.01 * torch.randn_like(p)).detach() for name, p in discriminator.named_parameters()}
        output: DiscriminatorOutput = functional_call(discriminator, state, (x, labels))
    said = [output.logits, *output.features, *output.heads.values()]
    (gradient,) = torch.autograd.grad([part[0].sum() for part in said], x)
    return not gradient[1].any().item()
