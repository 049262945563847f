"""Language by recurrent WGANs without pretraining (Press et al. 2017, arXiv 1706.01399)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    Game,
    Generator,
    Latent,
    Pair,
)
from gan_zoo.gumbel import WAYS, relaxed
from gan_zoo.policy import inverse_cdf
from gan_zoo.ranges import require_positive
from gan_zoo.recurrent import Recurrent
from gan_zoo.token_policy import length_of


class SoftGRU(Generator):
    """A GRU that is fed with the distributions that it has said itself; z is what it remembers at first.

    With `gumbel` or `straight_through` its symbols are drawn (`gan_zoo.gumbel`): in training by noise, in evaluation by
    the last T entries of z, of the uniform prior.

    Args:
        latent_dim: the size of z: of the noise, and T more where symbols are drawn.
        vocabulary: V, the number of symbols.
        length: T, of sequences.
        width: of the GRU; 512 in the paper.
        way: `softmax`, as in the paper, `gumbel` or `straight_through`.
        temperature: of the softmax.
    """

    def __init__(self, latent_dim: int, vocabulary: int, length: int, width: int, way: str, temperature: float) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, length=length, width=width)
        if way not in WAYS or not temperature > 0:
            raise ValueError(f"way={way!r} temperature={temperature}: one of {', '.join(WAYS)}, and above 0")
        self.drawn = 0 if way == "softmax" else length
        if latent_dim <= self.drawn:
            raise ValueError(f"latent_dim={latent_dim} must be more than {self.drawn} with way={way}")
        self.length, self.way, self.temperature = length, way, temperature
        self.greedy = False  # whether, in evaluation, it is fed with the likeliest symbols
        self.start = nn.Linear(latent_dim - self.drawn, width)
        self.cell = nn.GRUCell(vocabulary, width)
        self.output = nn.Linear(width, vocabulary)

    def write(self, z: Tensor, prefix: Tensor | None = None, length: int | None = None) -> Tensor:
        """Return sequences (N, length, V) that begin with a prefix (N, t, V)."""
        hidden = self.start(z[:, : z.shape[1] - self.drawn]).tanh()
        said = z.new_zeros(z.shape[0], self.output.out_features)
        steps: list[Tensor] = []
        for step in range(length or self.length):
            hidden = self.cell(said, hidden)
            if prefix is not None and step < prefix.shape[1]:
                said = prefix[:, step]
            else:
                said = self._said(self.output(hidden), z, step)
            steps.append(said)
        return torch.stack(steps, 1)

    def _said(self, logits: Tensor, z: Tensor, step: int) -> Tensor:
        if self.greedy and not self.training and not self.drawn:
            return F.one_hot(logits.argmax(1), logits.shape[1]).to(logits)
        if self.training or not self.drawn:
            return relaxed(logits, self.temperature, self.way)
        share = (z[:, step - self.length] + 1) / 2
        return F.one_hot(inverse_cdf(logits, share), logits.shape[1]).to(logits)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to probabilities of symbols (N, T, V)."""
        return self.write(z)


class GRUReader(Discriminator):
    """A GRU that reads a sequence of any length, and a linear layer of what it remembers at the end.

    Args:
        vocabulary: V, the number of symbols.
        width: of the GRU.
    """

    batch_independent = True

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, width=width)
        self.read = Recurrent("gru", vocabulary, width)
        self.output = nn.Linear(width, 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return what is remembered (N, width) at the end of sequences (N, T, V)."""
        return (self.read(x)[:, -1],)


class RNNWGAN(Game):
    """The two-player game at a length that grows: D sees the first i tokens, of which G has written the last ones.

    The greatest length begins at 1 and grows by one after so many updates of G (curriculum); each batch has a length
    from 1 to it, drawn alike (variable length); and G is given the first i - 1 tokens of real sequences, and writes one
    more (teacher helping). Scored and drawn are whole sequences that G writes alone, with teacher helping of the
    likeliest symbols, as it knows whole symbols only (the authors' program).

    Args:
        components: what the game is made of.
        grow_every: updates of G after which the greatest length grows by one; None for whole sequences from the start.
        variable: whether batches are of any length up to the greatest.
        teacher: whether G is given real beginnings.
    """

    def __init__(self, components: Components, grow_every: int | None, variable: bool, teacher: bool) -> None:
        if grow_every is not None and grow_every < 1:
            raise ValueError(f"grow_every={grow_every} must be at least 1, or null")
        self.length = length_of(components)
        super().__init__(components)
        generator = self.network("generator")
        if not isinstance(generator, SoftGRU):
            raise ConfigError("game=rnn_wgan needs a generator that writes any length: choose generator soft_gru")
        self.grow_every, self.variable, self.teacher = grow_every, variable, teacher
        generator.greedy = teacher

    def longest(self) -> int:
        """Return the greatest length at this point of training."""
        if self.grow_every is None:
            return self.length
        return min(1 + self.player("generator").updates // self.grow_every, self.length)

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the beginnings of real sequences and generated ones of a length."""
        longest = self.longest()
        length = int(torch.randint(1, longest + 1, ())) if self.variable else longest
        real = batch.samples[:, :length]
        generator = self.network("generator")
        assert isinstance(generator, SoftGRU)
        with self.autocast():
            fake = generator.write(latent.z, real[:, :-1] if self.teacher else None, length)
        made: Mapping[str, Tensor] = {SAMPLES: fake}
        return Pair(self.judge("discriminator"), batch, latent, fake, real=real, made=made)
