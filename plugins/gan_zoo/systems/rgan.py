"""RGAN and RCGAN (Esteban, Hyland & Rätsch 2017, arXiv 1706.02633): recurrent networks of real-valued series."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    Batch,
    Components,
    Discriminator,
    DiscriminatorOutput,
    Game,
    Generator,
    Latent,
    NextBatch,
    Pair,
    distributed,
)
from gan_zoo.lengths import LENGTHS, are_padded, inside
from gan_zoo.ranges import require_positive
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

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, T * d) to series (N, F, T), which are 0 after their end where `lengths` are given."""
        steps = joined(z.unflatten(1, (self.length, -1)), labels, self.classes)
        made: Tensor = OUTPUTS[self.bound](self.output(self.recurrent(steps))).movedim(1, 2)
        return made * inside(given[LENGTHS], self.length)[:, None] if LENGTHS in given else made


class RNNSeriesDiscriminator(Discriminator):
    """A recurrent network that says something of every step, given the class at each; a score is the mean over steps.

    Where it is given lengths it says one thing of each series, the mean over its own steps.

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

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return what is remembered (N, width, T) at each step of series (N, F, T), perhaps with their lengths (N,)."""
        steps = joined(x.movedim(1, 2), labels, self.classes)
        return (self.dropout(self.recurrent(steps, *given).movedim(1, 2)),)

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Score series (N, F, T): a logit for each step (N, 1, T), or, of such with lengths, their mean (N,)."""
        output = super().forward(x, labels, *given)
        if not given:
            return output
        mask = inside(given[0], x.shape[2])
        means = torch.where(mask, output.logits.squeeze(1), 0).sum(1) / mask.sum(1).clamp(min=1)
        return output._replace(logits=means)


class SeriesGame(Game):
    """The two-player game of series, to whose players the lengths are given where they differ.

    In training a generated series is as long as a real one of its batch; a sample is of a length that is drawn as often
    as training met it.

    Args:
        components: what the game is made of.
    """

    length_counts: Tensor

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        self.padded = are_padded(components.data)
        if self.padded:
            self.register_buffer("length_counts", torch.zeros(components.data.sample[-1] + 1))

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, and count the lengths that it meets."""
        return super().step((lambda: self._counted(next_batch())) if self.padded else next_batch)

    def _counted(self, batch: Batch) -> Batch:
        lengths = batch.extra[LENGTHS]
        met = torch.zeros_like(self.length_counts).scatter_add_(0, lengths, self.length_counts.new_ones(len(lengths)))
        self.length_counts += distributed.mean(met)
        return batch

    def latent(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Latent:
        """Draw n latents, with a length for each where these differ: the greatest before the first step."""
        latent = super().latent(n, labels, generator)
        if not self.padded:
            return latent
        counts = self.length_counts.cpu().clone()
        if not counts.any():
            counts[-1] = 1
        drawn = torch.multinomial(counts, n, replacement=True, generator=generator)
        return latent._replace(given={LENGTHS: drawn.to(self.device)})

    def latent_for(self, batch: Batch) -> Latent:
        """Return latents with the lengths of the batch."""
        latent = super().latent_for(batch)
        return latent._replace(given={LENGTHS: batch.extra[LENGTHS]}) if self.padded else latent

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real and generated series, each judged with its lengths where these differ."""
        pair = super().pair(batch, latent)
        if self.padded:
            pair.real_given, pair.fake_given = (batch.extra[LENGTHS],), (latent.given[LENGTHS],)
        return pair
