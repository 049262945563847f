"""Batches of one source as a single one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gan_framework.core.records import Batch


def joined(batches: Sequence[Batch]) -> Batch:
    """Return several batches of one source as one, in their order."""
    first, *further = batches
    if not further:
        return first

    def tensors(of: Callable[[Batch], Tensor | None]) -> Tensor | None:
        found = [tensor for tensor in map(of, batches) if tensor is not None]
        return torch.cat(found) if found else None

    return Batch(
        torch.cat([batch.samples for batch in batches]),
        tensors(lambda batch: batch.labels),
        {name: torch.cat([batch.extra[name] for batch in batches]) for name in first.extra},
        tensors(lambda batch: batch.index),
        {name: joined([batch.others[name] for batch in batches]) for name in first.others},
    )
