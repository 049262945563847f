"""IRGAN (Wang et al. 2017, arXiv 1705.10513): a generator that picks items, and a judge of (user, item)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    SAMPLES,
    Components,
    ConfigError,
    Discriminator,
    DiscriminatorOutput,
    Game,
    Generator,
    Pair,
    Player,
    Term,
)
from gan_zoo.policy import LOG_PROB, inverse_cdf
from gan_zoo.ranges import require_below_one, require_positive

POSITIVES = "positives"


class Factors(nn.Module):
    """u · v + b of users and items, all at first uniform on ±0.05 but b, which is 0."""

    def __init__(self, users: int, items: int, factors: int) -> None:
        super().__init__()
        require_positive(users=users, items=items, factors=factors)
        self.users, self.items = nn.Embedding(users, factors), nn.Embedding(items, factors)
        self.bias = nn.Parameter(torch.zeros(items))
        for table in (self.users, self.items):
            nn.init.uniform_(table.weight, -0.05, 0.05)

    def scores(self, users: Tensor) -> Tensor:
        """Return the scores (N, I) of all items for users (N,)."""
        found: Tensor = self.users(users) @ self.items.weight.T + self.bias
        return found


class ItemGenerator(Generator):
    """p(item | user) = softmax(u · v + b); z says which item is drawn.

    Args:
        latent_dim: 1.
        users: the number of users.
        items: the number of items.
        factors: the size of their vectors; 5 in the paper.
    """

    conditional = True

    def __init__(self, latent_dim: int, users: int, items: int, factors: int) -> None:
        super().__init__()
        if latent_dim != 1:
            raise ValueError(f"latent_dim={latent_dim}: z has one number, which says what item is drawn")
        self.factors = Factors(users, items, factors)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, 1) in [-1, 1] and users (N,) to one-hot items (N, 1, I)."""
        assert labels is not None
        with torch.no_grad():
            scores = self.factors.scores(labels)
            chosen = inverse_cdf(scores, (z[:, 0] + 1) / 2)
        return F.one_hot(chosen, scores.shape[1]).to(scores)[:, None]

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the samples, and where gradients are computed their log-probabilities (N, 1)."""
        samples = self(z, labels)
        if not torch.is_grad_enabled() or labels is None:
            return {SAMPLES: samples}
        log_prob = self.factors.scores(labels).log_softmax(1)
        return {SAMPLES: samples, LOG_PROB: (log_prob * samples[:, 0]).sum(1, keepdim=True)}


class ItemJudge(Discriminator):
    """σ(u · v + b), the probability that a user likes an item.

    Args:
        users: the number of users.
        items: the number of items.
        factors: the size of their vectors.
    """

    conditional = True
    batch_independent = True

    def __init__(self, users: int, items: int, factors: int) -> None:
        super().__init__()
        self.factors = Factors(users, items, factors)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the products of the factors (N, factors) of one-hot items (N, 1, I) and users (N,)."""
        assert labels is not None
        return (self.factors.users(labels) * (x[:, 0] @ self.factors.items.weight),)

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Score pairs of a user and an item."""
        features = self.features(x, labels)
        heads = {name: head(features[-1]) for name, head in self.heads.items()}
        return DiscriminatorOutput(features[-1].sum(1) + x[:, 0] @ self.factors.bias, features, heads)


def proposal(probabilities: Tensor, positives: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Return p_n = (1 - share) p + share · uniform over positives, and the weights p / p_n, (N, I) each."""
    uniform = positives / positives.sum(1, keepdim=True).clamp(min=1)
    mixed = (1 - share) * probabilities + share * uniform
    return mixed, probabilities / mixed


def reward(logits: Tensor) -> Tensor:
    """Return 2 (σ(D) - ½), from -1 to 1."""
    return 2 * (logits.sigmoid() - 0.5)


class PickingTerm(Term):
    """-E log p(d | q) · 2 (σ(D) - ½) · p / p_n, d drawn from p_n (the authors' program).

    Args:
        share: of positives in what is drawn.
        times: draws for each positive of a user.
    """

    def __init__(self, share: float, times: int) -> None:
        super().__init__()
        self.share, self.times = share, times

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the draws for the batch's users."""
        generator = self.game.generator
        assert isinstance(generator, ItemGenerator) and pair.real_labels is not None
        users = pair.real_labels
        log_prob = generator.factors.scores(users).log_softmax(1)
        with torch.no_grad():
            positives = pair.batch.extra[POSITIVES].to(log_prob)
            mixed, weights = proposal(log_prob.exp(), positives, self.share)
            count = max(int(self.times * positives.sum(1).mean()), 1)
            drawn = torch.multinomial(mixed, count, replacement=True)  # (N, count)
            items = F.one_hot(drawn, mixed.shape[1]).to(log_prob).flatten(0, 1)[:, None]
            judged = pair.judge(items, users.repeat_interleave(count)).scores.view_as(drawn)
            earned = reward(judged) * weights.gather(1, drawn)
        return -(log_prob.gather(1, drawn) * earned).mean()


class RandomNegatives(Term):
    """BCE1 of what users like and BCE0 of items drawn alike, on G's scores: where G starts from."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the sum of both halves."""
        generator = self.game.generator
        assert isinstance(generator, ItemGenerator) and pair.real_labels is not None
        scores = generator.factors.scores(pair.real_labels)
        liked = scores.gather(1, pair.real[:, 0].argmax(1, keepdim=True))
        other = scores.gather(1, torch.randint(scores.shape[1], liked.shape, device=liked.device))
        return F.softplus(-liked).mean() + F.softplus(other).mean()


class IRGAN(Game):
    """D tells what users like from what G picks for them; G is paid by D (equations 2 and 5).

    A sample is a user, the label, and an item, a token. A further player, `start`, trains G alone first, against items
    drawn at random.

    Args:
        components: what the game is made of.
        share: of positives in what is drawn for G; 0.2 in the authors' program.
        times: draws for each positive of a user; 2 in the program.
    """

    def __init__(self, components: Components, share: float, times: int) -> None:
        require_below_one(share=share)
        require_positive(times=times)
        if POSITIVES not in components.data.extra:
            raise ConfigError("game=irgan needs data with the extra `positives`: choose data=interactions")
        super().__init__(components)
        self.player("generator").add_term("picking", PickingTerm(share, times))
        self.player("start").add_term("random_negatives", RandomNegatives())

    def make_players(self) -> list[Player]:
        """Return D, G, and the one who trains G first."""
        discriminator, generator = super().make_players()
        generator.objective = None
        return [discriminator, generator, Player("start", ("generator",))]

    def relevance(self, users: Tensor) -> Tensor:
        """Return G's scores (N, I) of all items for users (N,)."""
        generator = self.networks[self.sampling_network]
        assert isinstance(generator, ItemGenerator)
        return generator.factors.scores(users)
