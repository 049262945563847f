"""A recurrent policy of tokens."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY
from gan_zoo.policy import Policy
from gan_zoo.ranges import require_above_zero, require_positive

State = tuple[Tensor, Tensor]


class LSTMCell(nn.Module):
    """A cell with one bias per gate, as in SeqGAN's program; torch's own has two."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.gates = nn.Linear(inputs + width, 4 * width)

    def start(self, n: int) -> State:
        """Return the empty memory of n sequences."""
        zeros = self.gates.weight.new_zeros(n, self.width)
        return zeros, zeros

    def forward(self, x: Tensor, state: State) -> State:
        """Return the output and the cell (N, width) after an input (N, inputs)."""
        hidden, cell = state
        into, forget, out, new = self.gates(torch.cat([x, hidden], 1)).chunk(4, 1)
        cell = forget.sigmoid() * cell + into.sigmoid() * new.tanh()
        return out.sigmoid() * cell.tanh(), cell


class LSTMTokens(Policy):
    """The generator of SeqGAN (Yu et al. 2017, arXiv 1609.05473): an embedding, an LSTM, and logits at each step.

    The first input is symbol 0, as in the authors' program.

    Args:
        vocabulary: V, the number of symbols.
        length: T, of sequences.
        latent_dim: of z, which has a number for each token.
        embedding: the size of a symbol's vector.
        width: of the LSTM.
        temperature: divides the logits; below 1 frequent symbols become more frequent.
    """

    def __init__(
        self, vocabulary: int, length: int, latent_dim: int, embedding: int, width: int, temperature: float = 1.0
    ) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, length=length, embedding=embedding, width=width)
        if latent_dim != length:
            raise ValueError(f"latent_dim={latent_dim}: z has a number for each of length={length} tokens")
        require_above_zero(temperature=temperature)
        self.vocabulary, self.length, self.temperature = vocabulary, length, temperature
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.cell = LSTMCell(embedding, width)
        self.output = nn.Linear(width, vocabulary)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.1)

    def begin(self, n: int, given: Mapping[str, Tensor] = EMPTY) -> State:
        """Return the empty memory."""
        return self.cell.start(n)

    def advance(self, state: State, token: Tensor | None) -> tuple[Tensor, State]:
        """Return the logits (N, V) after a token (N,), and the memory."""
        if token is None:
            token = torch.zeros(state[0].shape[0], dtype=torch.int64, device=state[0].device)
        state = self.cell(self.embedding(token), state)
        return self.output(state[0]) / self.temperature, state
