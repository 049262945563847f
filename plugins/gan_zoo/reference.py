"""Real samples that a game keeps for its pictures."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Batch, NextBatch


class Reference(nn.Module):
    """The first real samples that were drawn, in a buffer, so that they are in the checkpoint.

    Args:
        n: how many are kept.
        shape: of one sample.
    """

    samples: Tensor

    def __init__(self, n: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("samples", torch.zeros(n, *shape))
        self.count = 0

    def watching(self, next_batch: NextBatch) -> NextBatch:
        """Return a way to draw the same batches that keeps their samples until there are enough."""

        def watched() -> Batch:
            batch = next_batch()
            new = batch.samples[: len(self.samples) - self.count]
            self.samples[self.count : self.count + len(new)] = new
            self.count += len(new)
            return batch

        return next_batch if self.count == len(self.samples) else watched

    @property
    def kept(self) -> Tensor:
        """The samples kept so far (at most n, ...)."""
        return self.samples[: self.count]

    def get_extra_state(self) -> dict[str, int]:
        """Return the number of samples kept."""
        return {"count": self.count}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Take up the number of samples kept."""
        self.count = state["count"]
