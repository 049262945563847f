"""Which discriminators judge each sample alone, so that both sides of a pair can be judged in one pass."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.func import functional_call

from gan_framework.core.checks import blank, forked_random_numbers, try_meeting
from gan_framework.core.game import Game
from gan_framework.core.judge import Judge
from gan_framework.core.pair import Pair
from gan_framework.core.records import DiscriminatorOutput

TRIED = 8
"""Samples on which a judge is tried: those that look at groups of a batch have groups of four."""


def find_batch_independent(game: Game) -> set[str]:
    """Return the names of the judges' networks whose word on a sample depends on that sample alone."""
    batch = blank(game.data, TRIED, game.device)
    with forked_random_numbers(game.device):
        # All but alike, because minibatch discrimination is blind to what is far apart.
        batch = replace(batch, samples=1e-3 * torch.randn_like(batch.samples))
        judges: dict[str, tuple[Judge, Pair]] = {}
        for pair in try_meeting(game, batch).values():
            if isinstance(pair.judge, Judge):
                judges.setdefault(pair.judge.name, (pair.judge, pair))
        return {name for name, (judge, pair) in judges.items() if _says_so(judge, pair)}


def _says_so(judge: Judge, pair: Pair) -> bool:
    said: bool | None = getattr(judge.network, "batch_independent", None)
    if said is not None:
        return said and not judge.transforms
    return batch_independent(judge, pair.real, pair.real_labels, *pair.real_given)


def batch_independent(judge: Judge, x: Tensor, labels: Tensor | None, *given: Tensor) -> bool:
    """Return whether what a judge in training says of a sample is seen to depend on that sample alone.

    It does not where batch norm or minibatch discrimination mixes a batch: there the first sample's output has a
    gradient with respect to others. A judge through which no gradient reaches the samples is not known to.
    Neither the network nor torch's random numbers are changed.

    Args:
        judge: of a network on any device.
        x: at least two samples, all but alike.
        labels: of the samples, or None.
        given: what they are judged together with.
    """
    network = judge.network
    first = next(network.parameters())
    with forked_random_numbers(first.device):
        x = x.detach().to(first.dtype).requires_grad_()
        state = {name: buffer.clone() for name, buffer in network.named_buffers()}
        # Shaken, because a branch whose weights begin at zero hides what it will do.
        state |= {name: (p + 0.01 * torch.randn_like(p)).detach() for name, p in network.named_parameters()}
        seen: Tensor = x
        for transform in judge.transforms:
            seen = transform(seen)
        output: DiscriminatorOutput = functional_call(network, state, (seen, labels, *given))
    said = [part[0].sum() for part in (output.logits, *output.features, *output.heads.values()) if part.requires_grad]
    if not said:
        return False
    (gradient,) = torch.autograd.grad(said, x, allow_unused=True)
    return gradient is not None and not gradient[1:].any().item()
