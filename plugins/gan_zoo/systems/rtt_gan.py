"""RTT-GAN (Liang et al. 2017, arXiv 1703.07022): a paragraph of what is seen, judged by sentences and their order.

A small form from memory of the paper: topics, sentences and words by three recurrent networks with attention, words
through Gumbel-softmax, and a judge of each sentence and of each transition. Regions are made, not detected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, Batch, Components, ConfigError, Discriminator, Game, Generator, Latent, Pair
from gan_zoo.gumbel import WAYS, relaxed
from gan_zoo.policy import inverse_cdf
from gan_zoo.ranges import require_positive
from gan_zoo.recurrent import Recurrent

REGIONS = "regions"


class Attention(nn.Module):
    """A mean of regions (N, R, D), weighted by softmax(q W rᵀ) for a query (N, width)."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.key = nn.Linear(width, size, bias=False)

    def forward(self, query: Tensor, regions: Tensor) -> Tensor:
        """Return what is attended to (N, D)."""
        weights: Tensor = (regions @ self.key(query)[..., None]).softmax(1)
        return (weights * regions).sum(1)


class ParagraphGenerator(Generator):
    """A paragraph RNN that makes topics, a sentence RNN, and a word RNN that attends to regions.

    Words are relaxed in training (`gan_zoo.gumbel`); in evaluation they are drawn by the last T entries of z, of the
    uniform prior. The sentence RNN is fed with its own last sentence's words.

    Args:
        latent_dim: the size of z: of the noise, and T more.
        vocabulary: V, the number of words.
        length: T, of paragraphs.
        sentences: of a paragraph, which divide it evenly.
        region: the size of a region's vector.
        width: of the three networks.
        way: `gumbel`, `straight_through` or `softmax`.
        temperature: of the softmax.
    """

    def __init__(
        self,
        latent_dim: int,
        vocabulary: int,
        length: int,
        sentences: int,
        region: int,
        width: int,
        way: str,
        temperature: float,
    ) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, sentences=sentences, region=region, width=width)
        if length % sentences or latent_dim <= length:
            raise ValueError(
                f"length={length} latent_dim={latent_dim}: a multiple of sentences={sentences}, and more than length"
            )
        if way not in WAYS or not temperature > 0:
            raise ValueError(f"way={way!r} temperature={temperature}: one of {', '.join(WAYS)}, and above 0")
        self.length, self.sentences, self.way, self.temperature = length, sentences, way, temperature
        self.start = nn.Linear(latent_dim - length, width)
        self.attend_topic, self.attend_word = Attention(width, region), Attention(width, region)
        self.paragraph = nn.GRUCell(region + width, width)
        self.sentence = nn.GRUCell(width + vocabulary, width)
        self.word = nn.GRUCell(width + region + vocabulary, width)
        self.output = nn.Linear(width, vocabulary)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim) in [-1, 1] and regions (N, R, D) to words (N, T, V)."""
        regions, shares = given[REGIONS], (z[:, -self.length :] + 1) / 2
        topic = self.start(z[:, : -self.length]).tanh()
        sentence = torch.zeros_like(topic)
        said = topic.new_zeros(z.shape[0], self.output.out_features)
        words: list[Tensor] = []
        for _ in range(self.sentences):
            topic = self.paragraph(torch.cat([self.attend_topic(topic, regions), sentence], 1), topic)
            sentence = self.sentence(torch.cat([topic, said], 1), sentence)
            word = sentence
            for _ in range(self.length // self.sentences):
                seen = self.attend_word(word, regions)
                word = self.word(torch.cat([sentence, seen, said], 1), word)
                said = self._said(self.output(word), shares[:, len(words)])
                words.append(said)
        return torch.stack(words, 1)

    def _said(self, logits: Tensor, share: Tensor) -> Tensor:
        if self.training:
            return relaxed(logits, self.temperature, self.way)
        return F.one_hot(inverse_cdf(logits, share), logits.shape[1]).to(logits)


class ParagraphDiscriminator(Discriminator):
    """Says of each sentence whether it is one of the regions', and of each whether it follows the ones before.

    Args:
        vocabulary: V, the number of words.
        length: T, of paragraphs.
        sentences: of a paragraph.
        region: the size of a region's vector.
        width: of its networks.
    """

    patches = True
    batch_independent = True

    def __init__(self, vocabulary: int, length: int, sentences: int, region: int, width: int) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, sentences=sentences, region=region, width=width)
        if length % sentences:
            raise ValueError(f"length={length} must be a multiple of sentences={sentences}")
        self.sentences = sentences
        self.read = Recurrent("gru", vocabulary, width)
        self.attend = Attention(width, region)
        self.plausible = nn.Sequential(nn.Linear(width + region, width), nn.LeakyReLU(0.2))
        self.follow = Recurrent("gru", width + region, width)
        self.output = nn.Conv1d(width, 1, 1)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return what is found (N, width, 2 sentences) of paragraphs (N, T, V): of each sentence, and of its place."""
        regions = given[0]
        sentences = x.unflatten(1, (self.sentences, -1)).flatten(0, 1)
        read = self.read(sentences)[:, -1]
        seen = self.attend(read, regions.repeat_interleave(self.sentences, 0))
        each = torch.cat([read, seen], 1)
        plausible = self.plausible(each).unflatten(0, (len(x), -1))
        order = self.follow(each.unflatten(0, (len(x), -1)))
        return (torch.cat([plausible, order], 1).movedim(2, 1),)


class RTTGAN(Game):
    """The two-player game of paragraphs given the extra `regions`, which the judge sees too."""

    generates_from: ClassVar[str | None] = REGIONS

    def __init__(self, components: Components) -> None:
        if REGIONS not in components.data.extra:
            raise ConfigError("game=rtt_gan needs data with the extra `regions`: choose data=paragraphs")
        super().__init__(components)

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real and generated paragraphs, each beside its regions."""
        pair = super().pair(batch, latent)
        pair.real_given = pair.fake_given = (latent.given[REGIONS],)
        return pair
