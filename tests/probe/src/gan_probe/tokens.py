"""Token sequences in the plain game: the generator makes probabilities, which are judged as one-hot tokens are."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import Discriminator, Generator


class TokenGenerator(Generator):
    """A linear layer from z to the probabilities of each token.

    Args:
        latent_dim: the size of z.
        length: the number T of tokens.
        vocabulary: the number V of symbols.
    """

    def __init__(self, latent_dim: int, length: int, vocabulary: int) -> None:
        super().__init__()
        self.shape = (length, vocabulary)
        self.layer = nn.Linear(latent_dim, length * vocabulary)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to probabilities (N, T, V)."""
        logits: Tensor = self.layer(z)
        return logits.unflatten(1, self.shape).softmax(2)


class TokenJudge(Discriminator):
    """A vector for each symbol, then a convolution along the sequence (Kim 2014, arXiv 1408.5882).

    Args:
        vocabulary: the number V of symbols.
        width: the size of the vectors, and channels of the convolution.
        hard: look up each place's most probable symbol, through which no gradient reaches the probabilities.
    """

    def __init__(self, vocabulary: int, width: int, hard: bool) -> None:
        super().__init__()
        self.hard = hard
        self.embedding = nn.Embedding(vocabulary, width)
        self.inner = nn.Conv1d(width, width, 3, padding=1)
        self.output = nn.Linear(width, 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the greatest activations (N, width) along sequences (N, T, V)."""
        vectors = self.embedding(x.argmax(2)) if self.hard else x @ self.embedding.weight
        return (self.inner(vectors.transpose(1, 2)).tanh().amax(2),)
