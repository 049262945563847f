"""Generators that write tokens one after another, each drawn by its probability."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import EMPTY, SAMPLES, Generator
from gan_zoo.lengths import counted

LOG_PROB = "log_prob"
"""What `Pair.made` calls the log-probabilities (N, T) of the tokens of generated sequences."""


def inverse_cdf(logits: Tensor, uniform: Tensor) -> Tensor:
    """Return the symbols (N,) at which the distribution of logits (N, V) reaches a share (N,) of its whole.

    Of shares that are uniform on [0, 1] the symbols have the law softmax(logits).
    """
    reached = logits.softmax(1).cumsum(1)
    return (reached < uniform[:, None] * reached[:, -1:]).sum(1).clamp(max=logits.shape[1] - 1)


class Policy(Generator):
    """Writes sequences (T symbols of V) from left to right; z (N, T) in [-1, 1] says which symbols are drawn.

    With z from the uniform prior the tokens have the law of the policy, and are the same for the same z whatever else
    is in the batch. Beside its samples it gives, where gradients are computed, their log-probabilities (N, T).

    Attributes:
        length: T.
        vocabulary: V.
        ends: whether symbol 0 is padding, after which nothing else is written, and which is certain there; set by games
            of data whose sequences are of different lengths.
    """

    ends: bool = False
    length: int
    vocabulary: int

    @abstractmethod
    def begin(self, n: int, given: Mapping[str, Tensor] = EMPTY) -> Any:
        """Return what is remembered of n sequences before their first token."""

    @abstractmethod
    def advance(self, state: Any, token: Tensor | None) -> tuple[Tensor, Any]:
        """Return the logits (N, V) of the next token and what is remembered, after a token (N,); None at the start."""

    def draw(self, uniform: Tensor, prefix: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Return sequences (N, T) int64 that begin with a prefix.

        Args:
            uniform: shares (N, T) of a whole, from 0 to 1, by which tokens are drawn.
            prefix: the first tokens (N, t), or None.
            given: what the policy is given beside.
        """
        state, token, written = self.begin(uniform.shape[0], given), None, []
        for step in range(self.length):
            logits, state = self.advance(state, token)
            if prefix is not None and step < prefix.shape[1]:
                token = prefix[:, step]
            else:
                token = self.after(token, inverse_cdf(logits, uniform[:, step]))
            written.append(token)
        return torch.stack(written, 1)

    def after(self, last: Tensor | None, token: Tensor) -> Tensor:
        """Return what is written (N,) where a token (N,) was drawn after the last one (N,): padding after padding."""
        return token if last is None or not self.ends else token * (last != 0)

    def logits(self, tokens: Tensor, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Return the logits (N, T, V) of every token of sequences (N, T), each after those before it."""
        state, token, found = self.begin(tokens.shape[0], given), None, []
        for step in range(tokens.shape[1]):
            logits, state = self.advance(state, token)
            found.append(logits)
            token = tokens[:, step]
        return torch.stack(found, 1)

    def log_prob(self, tokens: Tensor, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Return the log-probabilities (N, T) of the tokens of sequences (N, T); 0 for what follows from the end."""
        found = self.logits(tokens, given).log_softmax(2).gather(2, tokens[..., None]).squeeze(2)
        return self.uncertain(found, tokens)

    def uncertain(self, log_prob: Tensor, tokens: Tensor) -> Tensor:
        """Return log-probabilities (N, T) of tokens (N, T) with 0 for padding after the end, which is certain."""
        return torch.where(counted(tokens), log_prob, 0) if self.ends else log_prob

    def one_hot(self, tokens: Tensor) -> Tensor:
        """Return sequences (N, T) as samples (N, T, V), in the precision of the weights."""
        return F.one_hot(tokens, self.vocabulary).to(next(self.parameters()).dtype)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, T) in [-1, 1] to one-hot sequences (N, T, V)."""
        with torch.no_grad():
            return self.one_hot(self.draw((z + 1) / 2, None, given))

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the samples, and where gradients are computed the log-probabilities (N, T) of their tokens."""
        samples = self(z, labels, given)
        if not torch.is_grad_enabled():
            return {SAMPLES: samples}
        return {SAMPLES: samples, LOG_PROB: self.log_prob(samples.argmax(2), given)}
