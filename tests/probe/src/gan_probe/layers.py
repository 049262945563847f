"""Networks that any of the systems may use: fully connected ones for samples of any shape."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY, Discriminator, Generator


class Dense(Generator):
    """One hidden layer of tanh from z, or from what is given in its place, to samples of any shape.

    Args:
        inputs: the number of entries of what it is made from.
        shape: of a sample.
        hidden: the size of the hidden layer.
        given: the name of what is given in the place of z, or None.
    """

    def __init__(self, inputs: int, shape: list[int], hidden: int, given: str | None) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.given = given
        self.layers = nn.Sequential(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, math.prod(shape)))

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, inputs), or what is given (N, ...), to samples (N, ...)."""
        made: Tensor = self.layers(z if self.given is None else given[self.given].flatten(1))
        return made.unflatten(1, self.shape)


class DenseJudge(Discriminator):
    """One hidden layer of tanh on a sample together with what it is judged with, which must be there.

    Args:
        inputs: the number of entries of a sample and all that is given with it.
        beside: how many tensors are given with a sample.
        hidden: the size of the hidden layer.
    """

    def __init__(self, inputs: int, beside: int, hidden: int) -> None:
        super().__init__()
        self.beside = beside
        self.inner = nn.Linear(inputs, hidden)
        self.output = nn.Linear(hidden, 1)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the hidden layer (N, hidden).

        Raises:
            LookupError: it is given more or less than it was made for.
        """
        if len(given) != self.beside:
            raise LookupError(f"judged together with {len(given)} tensors instead of {self.beside}")
        return (torch.tanh(self.inner(torch.cat([part.flatten(1) for part in (x, *given)], dim=1))),)
