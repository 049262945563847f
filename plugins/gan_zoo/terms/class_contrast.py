"""Contrastive terms that tell classes by comparing the samples of a batch."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Discriminator, Game, Pair, Player, Term
from gan_zoo.batch_statistic import penultimate_size
from gan_zoo.heads import ReadsHeads, add_head, require_unaware
from gan_zoo.ranges import require_above_zero, require_positive
from gan_zoo.terms.reading import require_head, widened
from gan_zoo.terms.sides import name_of

FORMS = ("2c", "d2d_ce")


class Embedding(nn.Module):
    """Unit vectors of samples, and their cosines with a learned unit vector of each class.

    Args:
        inputs: the size of the features.
        size: of the vectors.
        num_classes: the number of classes.
    """

    def __init__(self, inputs: int, size: int, num_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, size)
        self.proxies = nn.Parameter(torch.randn(num_classes, size))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, inputs) to vectors (N, size) with the cosines (N, num_classes) after them."""
        vectors = F.normalize(self.linear(features), dim=1)
        return torch.cat([vectors, vectors @ F.normalize(self.proxies, dim=1).T], dim=1)


class ClassContrast(Term, ReadsHeads):
    """Vectors of samples near that of their class, and far from samples of others; real ones for D, generated for G.

    With unit vectors e_i of samples and v_y of classes, `2c` is ContraGAN's (Kang & Park 2020, arXiv 2006.12681),
    -E log [exp(e_i·v_y / τ) + Σ exp(e_i·e_k / τ)] / [...], the sum above over the other samples of the same class and
    that below over all others. `d2d_ce` is ReACGAN's (Kang et al. 2021, arXiv 2111.01118), whose negatives are the
    samples of other classes alone, and in which what is within the margin m has no gradient: -E log of
    exp(-max(0, m - e_i·v_y) / τ) over this and Σ exp(max(0, e_i·e_k - (1 - m)) / τ). Each process compares the samples
    of its own part of the batch.

    Args:
        form: `2c` or `d2d_ce`.
        temperature: τ.
        margin: m of the second form; null for the first.
        size: of the vectors.
    """

    asks_for_classes = True

    def __init__(self, form: str, temperature: float, margin: float | None, size: int) -> None:
        super().__init__()
        if form not in FORMS:
            raise ValueError(f"form={form!r}: choose {' or '.join(FORMS)}")
        require_above_zero(temperature=temperature)
        if form == "2c" and margin is not None:
            raise ValueError(f"margin={margin}: form=2c has none; set null")
        if form == "d2d_ce" and (margin is None or not 0 <= margin <= 1):
            raise ValueError(f"margin={margin}: form=d2d_ce needs one between 0 and 1")
        require_positive(size=size)
        self.temperature = temperature
        self.margin = margin
        self.size = size

    def give_heads(self, game: Game, network: str) -> None:
        """Give a discriminator the head `embedding`.

        Raises:
            ConfigError: the data have no classes, it is told them, or has such a head of another size.
        """
        require_unaware(game, network, "class_contrast")
        critic = cast(Discriminator, game.network(network))
        add_head(critic, "embedding", Embedding(penultimate_size(game, network), self.size, game.data.num_classes))

    def check(self, game: Game, player: Player) -> None:
        """See that the discriminator has the head, and is trained on it.

        Raises:
            ConfigError: it has not, or is not.
        """
        for network in game.judges_of(player, name_of(self, player)):
            require_unaware(game, network, "class_contrast")
        require_head(self, game, player, "embedding")

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over real samples for a discriminator, over generated ones for a generator."""
        if player.team == "discriminator":
            said, labels = pair.real_output, pair.real_labels
        else:
            said, labels = pair.fake_output, pair.fake_labels
        assert labels is not None
        vectors, cosines = widened(said.heads["embedding"]).tensor_split([self.size], dim=1)
        return contrast(vectors, cosines, labels, self.temperature, self.margin)


def contrast(vectors: Tensor, cosines: Tensor, labels: Tensor, temperature: float, margin: float | None) -> Tensor:
    """Return the mean over samples.

    Args:
        vectors: of the samples, unit (N, D).
        cosines: with the vectors of the classes (N, K).
        labels: of the samples (N,).
        temperature: τ.
        margin: m of `d2d_ce`; None for `2c`.
    """
    own = cosines.gather(1, labels[:, None])
    among = vectors @ vectors.T
    alike = labels[:, None] == labels
    never = -float("inf")
    if margin is not None:
        own, among = -F.relu(margin - own), F.relu(among - (1 - margin))
        above = own / temperature
        below = torch.cat([above, (among / temperature).masked_fill(alike, never)], dim=1)
    else:
        itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        below = torch.cat([own, among.masked_fill(itself, never)], dim=1) / temperature
        above = torch.cat([own, among.masked_fill(itself | ~alike, never)], dim=1) / temperature
    return (below.logsumexp(1) - above.logsumexp(1)).mean()
