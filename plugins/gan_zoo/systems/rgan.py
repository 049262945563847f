"""RGAN and RCGAN (Esteban, Hyland & Rätsch 2017, arXiv 1706.02633): recurrent networks of real-valued series."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Discriminator, Generator
from gan_zoo.layers import require_positive
from gan_zoo.recurrent import Recurrent

OUTPUTS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "linear": lambda x: x}


def joined(steps: Tensor, labels: Tensor | None, classes: int) -> Tensor:
    """Return steps (N, T, D) with the class, one-hot, joined to each of them."""
    if not classes or labels is None:
        return steps
    said = F.one_hot(labels, classes).to(steps)
    return torch.cat([steps, said[:, None].expand(-1, steps.shape[1], -1)], 2)


class RNNSeriesGenerator(Generator):
    """A recurrent network with noise of its own, and the class, at every step.

    Args:
        latent_dim: the size of z: a part for each step.
        channels: F, the values at each step.
        length: T, the number of steps.
        num_classes: the number of classes that series are made by; 0 without.
        width: of the network; 100 in the authors' program.
        layers: one upon another.
        cell: `lstm` or `gru`.
        output: `tanh`, `sigmoid` or `linear`, by the range of the data.
    """

    def __init__(
        self,
        latent_dim: int,
        channels: int,
        length: int,
        num_classes: int,
        width: int,
        layers: int,
        cell: str,
        output: str,
    ) -> None:
        super().__init__()
        require_positive(channels=channels, length=length, width=width, layers=layers)
        if latent_dim % length:
            raise ValueError(f"latent_dim={latent_dim} must be a multiple of length={length}: each step has its part")
        if output not in OUTPUTS:
            raise ValueError(f"output={output!r}: choose one of {', '.join(OUTPUTS)}")
        self.conditional, self.classes = num_classes > 0, num_classes
        self.length, self.bound = length, output
        self.recurrent = Recurrent(cell, latent_dim // length + num_classes, width, layers)
        self.output = nn.Linear(width, channels)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, T * d) to series (N, F, T)."""
        steps = joined(z.unflatten(1, (self.length, -1)), labels, self.classes)
        made: Tensor = OUTPUTS[self.bound](self.output(self.recurrent(steps)))
        return made.movedim(1, 2)


class RNNSeriesDiscriminator(Discriminator):
    """A recurrent network that says something of every step, given the class at each; a score is the mean over steps.

    Args:
        channels: F, the values at each step.
        num_classes: the number of classes that it is told; 0 without.
        width: of the network.
        layers: one upon another.
        cell: `lstm` or `gru`.
        both_ways: whether it reads from the end too.
        dropout: the share that is dropped between layers and before the last one.
    """

    patches = True

    def __init__(
        self, channels: int, num_classes: int, width: int, layers: int, cell: str, both_ways: bool, dropout: float
    ) -> None:
        super().__init__()
        require_positive(channels=channels, width=width, layers=layers)
        self.batch_independent = not dropout  # what is dropped of a sample follows from how many there are
        self.conditional, self.classes = num_classes > 0, num_classes
        self.recurrent = Recurrent(cell, channels + num_classes, width, layers, both_ways, dropout)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Conv1d(self.recurrent.size, 1, 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return what is remembered (N, width, T) at each step of series (N, F, T)."""
        steps = joined(x.movedim(1, 2), labels, self.classes)
        return (self.dropout(self.recurrent(steps).movedim(1, 2)),)
