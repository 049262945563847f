"""The language model of WGAN-GP (Gulrajani et al. 2017, arXiv 1704.00028, section 5.3), and PassGAN's use of it.

PassGAN is Hitaj et al. 2017, arXiv 1709.00440: the same networks, narrower and for short strings. Here they learn
made-up strings (data=strings), or whatever text file a user brings.
"""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import Discriminator, Generator
from gan_zoo.ranges import require_positive

BLOCKS = 5
SHARE = 0.3
"""How much of a block's output is added to its input."""


class Block(nn.Module):
    """x + 0.3 C5(relu(C5(relu(x)))) along a sequence (N, width, T)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.ReLU(), nn.Conv1d(width, width, 5, padding=2), nn.ReLU(), nn.Conv1d(width, width, 5, padding=2)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, T) to the same shape."""
        mapped: Tensor = x + SHARE * self.inner(x)
        return mapped


class ConvTokensGenerator(Generator):
    """A linear layer, five residual blocks, and a softmax over symbols at each step.

    Args:
        latent_dim: the size of z.
        vocabulary: V, the number of symbols.
        length: T, of sequences.
        width: channels; 512 in WGAN-GP, 128 in PassGAN.
    """

    def __init__(self, latent_dim: int, vocabulary: int, length: int, width: int) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, length=length, width=width)
        self.first = nn.Sequential(nn.Linear(latent_dim, length * width), nn.Unflatten(1, (width, length)))
        self.blocks = nn.Sequential(*(Block(width) for _ in range(BLOCKS)))
        self.last = nn.Conv1d(width, vocabulary, 1)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to probabilities of symbols (N, T, V)."""
        logits: Tensor = self.last(self.blocks(self.first(z)))
        return logits.softmax(1).movedim(1, 2)


class ConvTokensDiscriminator(Discriminator):
    """The mirror image: C1, five residual blocks, a linear layer.

    Args:
        vocabulary: V, the number of symbols.
        length: T, of sequences.
        width: channels.
    """

    batch_independent = True

    def __init__(self, vocabulary: int, length: int, width: int) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, length=length, width=width)
        self.first = nn.Conv1d(vocabulary, width, 1)
        self.blocks = nn.ModuleList(Block(width) for _ in range(BLOCKS))
        self.output = nn.Linear(width * length, 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps (N, width, T) after each layer for one-hot symbols or probabilities (N, T, V)."""
        maps: list[Tensor] = [self.first(x.movedim(2, 1))]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return tuple(maps)
