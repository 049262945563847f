"""CS-GAN (Yang et al. 2018, arXiv 1703.04887): translation of sequences, paid by a judge of (source, target)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, Batch, Components, ConfigError, Discriminator, Latent, Pair
from gan_zoo.generators.lstm_tokens import LSTMCell
from gan_zoo.policy import Policy
from gan_zoo.ranges import require_positive
from gan_zoo.recurrent import Recurrent
from gan_zoo.systems.seqgan import DiscriminatorReward
from gan_zoo.token_policy import TokenPolicyGame, length_of

SOURCE = "source"

State = tuple[Tensor, Tensor, Tensor]
"""What is read of the source (N, T, 2 width), and an LSTM's output and cell."""


class AttentionPolicy(Policy):
    """An encoder that reads the source both ways, and an LSTM that attends to it at each step.

    The weights are softmax_j(hᵀ W s_j) (Luong et al. 2015); what is attended to joins the input.

    Args:
        vocabulary: V, the number of symbols of source and target.
        length: T, of targets.
        latent_dim: of z, which has a number for each token.
        embedding: the size of a symbol's vector.
        width: of the encoder in either direction, and of the decoder.
    """

    def __init__(self, vocabulary: int, length: int, latent_dim: int, embedding: int, width: int) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, length=length, embedding=embedding, width=width)
        if latent_dim != length:
            raise ValueError(f"latent_dim={latent_dim}: z has a number for each of length={length} tokens")
        self.vocabulary, self.length = vocabulary, length
        self.sources = nn.Embedding(vocabulary, embedding)
        self.encoder = Recurrent("lstm", embedding, width, both_ways=True)
        self.targets = nn.Embedding(vocabulary + 1, embedding)  # the last one stands before the first token
        self.attention = nn.Linear(width, 2 * width, bias=False)
        self.cell = LSTMCell(embedding + 2 * width, width)
        self.output = nn.Linear(3 * width, vocabulary)

    def begin(self, n: int, given: Mapping[str, Tensor] = EMPTY) -> State:
        """Read the source (N, T) int64.

        Raises:
            ConfigError: there is none.
        """
        if SOURCE not in given:
            raise ConfigError("a translating generator is given the extra `source`: choose data=token_pairs")
        return (self.encoder(self.sources(given[SOURCE])), *self.cell.start(n))

    def advance(self, state: State, token: Tensor | None) -> tuple[Tensor, State]:
        """Return the logits (N, V) after a token (N,), and what is remembered."""
        read, hidden, cell = state
        if token is None:
            token = torch.full((len(hidden),), self.vocabulary, device=hidden.device)
        seen = self._attend(read, hidden)
        hidden, cell = self.cell(torch.cat([self.targets(token), seen], 1), (hidden, cell))
        return self.output(torch.cat([hidden, self._attend(read, hidden)], 1)), (read, hidden, cell)

    def _attend(self, read: Tensor, hidden: Tensor) -> Tensor:
        weights: Tensor = (read @ self.attention(hidden)[..., None]).softmax(1)
        return (weights * read).sum(1)


class TranslationCNN(Discriminator):
    """Convolutions over the map of all pairs of a source's and a target's symbol (section 3.3).

    Args:
        vocabulary: V, the number of symbols.
        length: T, of sources and targets.
        embedding: the size of a symbol's vector.
        width: maps of the first layer; the second has twice as many.
    """

    batch_independent = True

    def __init__(self, vocabulary: int, length: int, embedding: int, width: int) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, length=length, embedding=embedding, width=width)
        if length < 4:
            raise ValueError(f"length={length}: the map is halved twice, so that there are at least 4 tokens")
        self.vocabulary = vocabulary
        self.source = nn.Linear(vocabulary, embedding, bias=False)
        self.target = nn.Linear(vocabulary, embedding, bias=False)
        self.layers = nn.Sequential(
            nn.Conv2d(2 * embedding, width, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.output = nn.Linear(2 * width * (length // 4) ** 2, 1)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return what is found in targets (N, T, V) beside their sources (N, T) int64."""
        source = self.source(F.one_hot(given[0], self.vocabulary).to(x))
        target = self.target(x)
        across = source[:, :, None].expand(-1, -1, target.shape[1], -1)
        down = target[:, None].expand(-1, source.shape[1], -1, -1)
        return (self.layers(torch.cat([across, down], 3).movedim(3, 1)),)


class CSGAN(TokenPolicyGame):
    """SeqGAN of targets given sources: D judges (source, target), and half of G's updates are by likelihood.

    From memory of the paper. Its reward of BLEU is left out; which updates are by likelihood is the schedule's matter.

    Args:
        components: what the game is made of.
        rollouts: completions for each beginning; 20 in the paper.
        follow: what the roll-out policy keeps of itself in each update.
        baseline: `none`, `batch` or `moving`.
        summed: sum over the batch instead of its mean.
    """

    generates_from: ClassVar[str | None] = SOURCE

    def __init__(self, components: Components, rollouts: int, follow: float, baseline: str, summed: bool) -> None:
        if SOURCE not in components.data.extra:
            raise ConfigError("game=csgan_translation needs data with the extra `source`: choose data=token_pairs")
        super().__init__(components, DiscriminatorReward(rollouts, follow, baseline, summed, length_of(components)))

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real and generated targets, each beside its source."""
        pair = super().pair(batch, latent)
        pair.real_given = pair.fake_given = (latent.given[SOURCE],)
        return pair
