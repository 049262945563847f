"""A network that judges whole batches."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from gan_zoo.layers import ACTIVATIONS, ImageSize, choose, init_scaled, sample_shape


class SetDiscriminator(nn.Module):
    """One logit for a batch, or for two: a mean over samples, between two networks (Li et al. 2017, arXiv 1706.09549).

    The deep mean encoder η(B) = E φ(b): what it says does not depend on the order of samples.

    Args:
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the sizes of the layers of φ, before the mean.
        head: the sizes of the hidden layers after the mean.
        activation: after each of both.
        init: the scale of the first weights, `he` or `xavier`.
    """

    def __init__(
        self,
        image_size: ImageSize | None,
        channels: int,
        hidden: list[int],
        head: list[int],
        activation: str,
        init: str,
    ) -> None:
        super().__init__()
        if not hidden:
            raise ValueError("hidden=[]: the network needs at least one layer before the mean")
        self.inner = nn.Sequential(
            nn.Flatten(), *_layers([math.prod(sample_shape(channels, image_size)), *hidden], activation)
        )
        self.output = nn.Sequential(*_layers([hidden[-1], *head], activation), nn.Linear([*hidden, *head][-1], 1))
        init_scaled(self, init)

    def encode(self, batch: Tensor) -> Tensor:
        """Return η (1, A) of a batch (N, ...)."""
        encoded: Tensor = self.inner(batch)
        return encoded.mean(0, keepdim=True)

    def forward(self, batch: Tensor, other: Tensor | None = None) -> Tensor:
        """Return a logit (1,) of a batch (N, ...), or of |η(batch) - η(other)| for two."""
        encoded = self.encode(batch)
        if other is not None:
            encoded = (encoded - self.encode(other)).abs()
        logit: Tensor = self.output(encoded)
        return logit.squeeze(1)


def _layers(sizes: list[int], activation: str) -> list[nn.Module]:
    found: list[nn.Module] = []
    for before, after in pairwise(sizes):
        found += [nn.Linear(before, after), choose(ACTIVATIONS, "activation", activation)]
    return found
