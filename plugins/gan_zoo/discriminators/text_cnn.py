"""A convolutional network that reads tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.ranges import require_positive


class TextCNN(Discriminator):
    """Convolutions over windows of several widths, the greatest value of each map, a highway layer and dropout.

    The discriminator of SeqGAN (Yu et al. 2017, arXiv 1609.05473, section 3.4; Zhang & LeCun 2015, Kim 2014):
    `h = τ · relu(W c) + (1 - τ) · c` with τ a sigmoid.

    Args:
        vocabulary: V, the number of symbols.
        length: T, of sequences.
        embedding: the size of a symbol's vector.
        windows: the widths of windows; those wider than a sequence are left out.
        filters: maps for each window, one number for all.
        dropout: the share that is dropped before the last layer.
    """

    batch_independent = True

    def __init__(
        self, vocabulary: int, length: int, embedding: int, windows: list[int], filters: int, dropout: float
    ) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, length=length, embedding=embedding, filters=filters)
        fitting = [window for window in windows if 1 <= window <= length]
        if not fitting:
            raise ValueError(f"windows={windows}: none of them is from 1 to length={length} wide")
        self.embedding = nn.Linear(vocabulary, embedding, bias=False)  # of one-hot symbols, or of probabilities
        self.windows = nn.ModuleList(nn.Conv1d(embedding, filters, window) for window in fitting)
        size = filters * len(fitting)
        self.transform, self.gate = nn.Linear(size, size), nn.Linear(size, size)
        nn.init.constant_(self.gate.bias, -2.0)  # at first most is carried over
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(size, 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return what was found in sequences (N, T, V), and this after the highway layer."""
        embedded = self.embedding(x).movedim(2, 1)
        found = torch.cat([window(embedded).relu().amax(2) for window in self.windows], 1)
        share = self.gate(found).sigmoid()
        mixed = share * self.transform(found).relu() + (1 - share) * found
        return found, self.dropout(mixed)
