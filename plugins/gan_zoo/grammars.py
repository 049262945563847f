"""Sources of tokens whose probabilities are known: what is generated can be judged by the truth."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gan_framework.api import seeding

IMPOSSIBLE = 1e-6
"""The probability that an impossible step is counted with, so that likelihoods stay finite."""


class Grammar(ABC):
    """A distribution of sequences of tokens.

    Attributes:
        symbols: what each symbol is written as; padding as nothing.
        length: T, the number of tokens of a sequence, with its padding.
    """

    symbols: tuple[str, ...]
    length: int

    @abstractmethod
    def sample(self, n: int, random: torch.Generator) -> Tensor:
        """Return n sequences (n, T) int64."""

    @abstractmethod
    def steps(self, tokens: Tensor) -> Tensor:
        """Return the probability (N, T) float64 of each token (N, T) after those before it; 0 where it cannot be."""

    def log_likelihood(self, tokens: Tensor) -> Tensor:
        """Return log p (N,) float64, with `IMPOSSIBLE` for what cannot be."""
        return self.steps(tokens).clamp(min=IMPOSSIBLE).log().sum(1)

    def valid(self, tokens: Tensor) -> Tensor:
        """Return whether sequences (N, T) can be, (N,) bool."""
        return (self.steps(tokens) > 0).all(1)


class LeftToRight(Grammar):
    """A source that writes one token after another, each by probabilities that follow from a state."""

    @abstractmethod
    def start(self, n: int) -> Any:
        """Return the state of n sequences before their first token."""

    @abstractmethod
    def probabilities(self, state: Any, step: int) -> Tensor:
        """Return the probabilities (N, V) float64 of the next token."""

    @abstractmethod
    def advance(self, state: Any, token: Tensor) -> Any:
        """Return the state after a token (N,), which may be an impossible one."""

    def sample(self, n: int, random: torch.Generator) -> Tensor:
        """Return n sequences (n, T) int64."""
        state, written = self.start(n), []
        for step in range(self.length):
            written.append(torch.multinomial(self.probabilities(state, step), 1, generator=random).squeeze(1))
            state = self.advance(state, written[-1])
        return torch.stack(written, 1)

    def steps(self, tokens: Tensor) -> Tensor:
        """Return the probability (N, T) of each token after those before it."""
        state, found = self.start(len(tokens)), []
        for step in range(self.length):
            found.append(self.probabilities(state, step).gather(1, tokens[:, step, None]).squeeze(1))
            state = self.advance(state, tokens[:, step])
        return torch.stack(found, 1)


class Markov(LeftToRight):
    """Ten symbols in a circle: after a comes a + 1, a + 2 or a + 5 with 0.6, 0.3 and 0.1; the first is any.

    The entropy of a step is 0.8979457 nats, and that of a sequence of twelve 12.1799881; one drawn without knowledge
    can be with probability 0.3^11.
    """

    ways = ((1, 0.6), (2, 0.3), (5, 0.1))

    def __init__(self, length: int, vocabulary: int) -> None:
        _require("markov", vocabulary, 10)
        self.length, self.symbols = length, tuple("0123456789")
        table = torch.zeros(11, 10, dtype=torch.float64)
        for move, probability in self.ways:
            table[torch.arange(10), (torch.arange(10) + move) % 10] = probability
        table[10] = 0.1  # before the first
        self.table = table

    def start(self, n: int) -> Tensor:
        """Return the state before the first symbol."""
        return torch.full((n,), 10)

    def probabilities(self, state: Tensor, step: int) -> Tensor:
        """Return the successors' probabilities (N, 10) of the symbols (N,) before them."""
        return self.table[state]

    def advance(self, state: Tensor, token: Tensor) -> Tensor:
        """Return the symbol itself."""
        return token


class Arithmetic(LeftToRight):
    """Terms of x, +, - and brackets that are balanced, then padding.

    Where an operand is due, x comes with 0.7 and an opening bracket with 0.3; after one, inside brackets, the closing
    one with 0.5 and + or - with 0.25 each, and outside the end with 0.4 and + or - with 0.3 each. What could not be
    brought to an end within the length is left out, and the rest takes its share.
    """

    END, X, PLUS, MINUS, OPEN, CLOSE = range(6)

    def __init__(self, length: int, vocabulary: int) -> None:
        _require("arithmetic", vocabulary, 6)
        self.length, self.symbols = length, ("", "x", "+", "-", "(", ")")

    def start(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return depth, whether an operand is due, and whether the end has come."""
        return torch.zeros(n).long(), torch.ones(n).bool(), torch.zeros(n).bool()

    def probabilities(self, state: tuple[Tensor, Tensor, Tensor], step: int) -> Tensor:
        """Return the probabilities of the next symbol."""
        depth, due, over = state
        left = self.length - step - 1  # after this symbol
        p = torch.zeros(len(depth), 6, dtype=torch.float64)
        inside = ~due & (depth > 0)
        outside = ~due & (depth <= 0)
        p[:, self.X] = 0.7 * (due & (depth <= left))
        p[:, self.OPEN] = 0.3 * (due & (depth + 2 <= left))
        p[:, self.CLOSE] = 0.5 * inside
        more = (~due & (depth + 1 <= left)).double()
        p[:, self.PLUS] = p[:, self.MINUS] = more * torch.where(inside, 0.25, 0.3).double()
        p[:, self.END] = 0.4 * outside
        p[over] = torch.eye(6, dtype=torch.float64)[self.END]
        total = p.sum(1, keepdim=True)
        return torch.where(total > 0, p / total.clamp(min=1e-12), torch.full_like(p, 0.0))

    def advance(self, state: tuple[Tensor, Tensor, Tensor], token: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the state after a symbol."""
        depth, due, over = state
        depth = depth + (token == self.OPEN).long() - (token == self.CLOSE).long()
        due = (token == self.OPEN) | (token == self.PLUS) | (token == self.MINUS)
        return depth.clamp(min=0), due, over | (token == self.END)


class OracleLSTM(LeftToRight):
    """A random LSTM (Yu et al. 2017, arXiv 1609.05473, section 5.1): 32 units, all weights N(0, 1); all can be."""

    width = 32

    def __init__(self, length: int, vocabulary: int) -> None:
        self.length, self.symbols = length, tuple(map(str, range(vocabulary)))
        random = seeding.generator(0, "oracle lstm")
        self.embedding = torch.randn(vocabulary, self.width, generator=random)
        self.cell = nn.LSTMCell(self.width, self.width).requires_grad_(False)
        for parameter in self.cell.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=random))
        self.output = torch.randn(self.width, vocabulary, generator=random)
        self.bias = torch.randn(vocabulary, generator=random)

    def start(self, n: int) -> tuple[Tensor, Tensor]:
        """Return the state after the start, which is symbol 0 in the authors' program."""
        zeros = torch.zeros(n, self.width)
        return self.advance((zeros, zeros), torch.zeros(n).long())

    def probabilities(self, state: tuple[Tensor, Tensor], step: int) -> Tensor:
        """Return the probabilities of the next symbol."""
        return (state[0] @ self.output + self.bias).double().softmax(1)

    def advance(self, state: tuple[Tensor, Tensor], token: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the LSTM remembers after a symbol."""
        found: tuple[Tensor, Tensor] = self.cell(self.embedding[token], state)
        return found


class Templates(Grammar):
    """Names with numbers: a word of two or three syllables (200 of them), none to two digits, perhaps a mark; padding.

    Words, the number of digits, digits, and ! or ? or _ or none are each drawn alike; nothing comes from any list.
    """

    letters, digits, marks = "abcdefghijklmnopqrstuvwxyz", "0123456789", "!?_"
    words_known = 200

    def __init__(self, length: int, vocabulary: int) -> None:
        _require("strings", vocabulary, 40)
        if length < 10:
            raise ValueError(f"length={length}: the longest strings have 10 characters")
        self.length = length
        self.symbols = ("", *self.letters, *self.digits, *self.marks)
        self._number = {symbol: number for number, symbol in enumerate(self.symbols)}
        random = seeding.generator(0, "syllables")
        words: dict[str, None] = {}
        while len(words) < self.words_known:
            picks = torch.randint(1000, (6,), generator=random).tolist()
            syllables = [
                "bdfgklmnprstvz"[a % 14] + "aeiou"[b % 5] for a, b in zip(picks[::2], picks[1::2], strict=True)
            ]
            words["".join(syllables[: 2 + picks[0] % 2])] = None
        self.words = tuple(words)
        self._known = frozenset(words)

    def sample(self, n: int, random: torch.Generator) -> Tensor:
        """Return n sequences (n, T) int64."""
        word, digits, first, second, mark = (
            torch.randint(high, (n,), generator=random).tolist() for high in (len(self.words), 3, 10, 10, 4)
        )
        found = torch.zeros(n, self.length, dtype=torch.int64)
        for row in range(n):
            text = self.words[word[row]] + f"{first[row]}{second[row]}"[: digits[row]] + ("", *self.marks)[mark[row]]
            found[row, : len(text)] = torch.tensor([self._number[symbol] for symbol in text])
        return found

    def steps(self, tokens: Tensor) -> Tensor:
        """Return the probability of the whole (N, T), shared out evenly among the steps."""
        whole = torch.tensor([self._probability(row) for row in tokens.tolist()], dtype=torch.float64)
        return whole.pow(1 / self.length)[:, None].expand(-1, self.length)

    def _probability(self, row: list[int]) -> float:
        text = "".join(self.symbols[number] for number in row)
        if any(row[len(text) :]):  # padding inside
            return 0.0
        word = text.rstrip(self.marks).rstrip(self.digits)
        rest = text[len(word) :]
        digits = rest.rstrip(self.marks)
        if word not in self._known or len(digits) > 2 or len(rest) - len(digits) > 1:
            return 0.0
        return 1 / (len(self.words) * 3 * 10.0 ** len(digits) * 4)


GRAMMARS: dict[str, Callable[[int, int], Grammar]] = {
    "markov": Markov,
    "arithmetic": Arithmetic,
    "oracle_lstm": OracleLSTM,
    "strings": Templates,
}


def grammar(kind: str, length: int, vocabulary: int) -> Grammar:
    """Return a source of tokens by its name.

    Raises:
        ValueError: there is none of that name, or it has not such a length or vocabulary.
    """
    if kind not in GRAMMARS:
        raise ValueError(f"kind={kind!r}: choose one of {', '.join(GRAMMARS)}")
    if length < 1 or vocabulary < 2:
        raise ValueError(f"length={length} vocabulary={vocabulary}: they must be at least 1 and 2")
    return GRAMMARS[kind](length, vocabulary)


def _require(kind: str, vocabulary: int, needed: int) -> None:
    if vocabulary != needed:
        raise ValueError(f"vocabulary={vocabulary}: the source {kind} has {needed} symbols")
