"""RankGAN (Lin et al. 2017, arXiv 1705.11001): a ranker in the place of a discriminator."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Components, DiscriminatorOutput, Pair, Player, Term, evaluation_mode
from gan_zoo.discriminators.text_cnn import TextCNN
from gan_zoo.ranges import require_above_zero, require_positive
from gan_zoo.token_policy import RolloutReward, TokenPolicyGame, length_of


class Ranker(TextCNN):
    """A discriminator's trunk: its last features are a sequence's embedding.

    Its logits are the lengths of the embeddings, of which the game makes no use.
    """

    def __init__(
        self, vocabulary: int, length: int, embedding: int, windows: list[int], filters: int, dropout: float
    ) -> None:
        super().__init__(vocabulary, length, embedding, windows, filters, dropout)
        del self.output

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Embed sequences (N, T, V)."""
        features = self.features(x, labels)
        heads = {name: head(features[-1]) for name, head in self.heads.items()}
        return DiscriminatorOutput(features[-1].norm(dim=1), features, heads)


def ranks(embedded: Tensor, comparison: Tensor, references: Tensor, gamma: float) -> Tensor:
    """Return log R (N,), the log of the mean share of a sequence among others, over references (equations 3 to 5).

        P(s | u, C) = e^(γ cos(s, u)) / Σ_(s' in C) e^(γ cos(s', u)),  C the comparison set and s;  R = mean over u

    Args:
        embedded: the sequences (N, A).
        comparison: others (M, A) that each of them is compared with.
        references: real sequences u (U, A).
        gamma: γ.
    """
    unit = F.normalize(references, dim=1)
    own = gamma * F.normalize(embedded, dim=1) @ unit.T  # (N, U)
    others = (gamma * F.normalize(comparison, dim=1) @ unit.T).logsumexp(0)  # (U,)
    shares = own - torch.logaddexp(own, others)
    return shares.logsumexp(1) - torch.log(torch.tensor(float(len(references))))


def apart(real: Tensor, references: int) -> tuple[Tensor, Tensor]:
    """Return references, the first of real embeddings (N, A) up to half of them, and the others.

    A reference is not ranked: beside itself it would win whatever the ranker has learnt.
    """
    cut = min(references, len(real) // 2)
    return real[:cut], real[cut:]


class RankingTerm(Term):
    """-E log R(real | generated) + E log R(generated | real), the ranker's objective, as the authors' program has it.

    log(1 - R) in the second place hardly moves a ranker, as R is about one in the number that are compared.

    Args:
        references: real sequences that all are compared by; the first of the batch, up to half of it.
        gamma: γ.
    """

    def __init__(self, references: int, gamma: float) -> None:
        super().__init__()
        self.references, self.gamma = references, gamma

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the loss of the ranker."""
        real, fake = (output.features[-1] for output in pair.outputs)
        references, real = apart(real, self.references)
        of_real = ranks(real, fake, references, self.gamma)
        of_fake = ranks(fake, real, references, self.gamma)
        return of_fake.mean() - of_real.mean()


class RankReward(RolloutReward):
    """A sequence is worth R, its share among real ones."""

    references: int
    gamma: float

    def score(self, sequences: Tensor, pair: Pair, repeats: int) -> Tensor:
        """Return R of sequences (M, T, V)."""
        with evaluation_mode(self.game.discriminator):
            real = pair.judge(pair.real).features[-1]
            embedded = pair.judge(sequences).features[-1]
        references, real = apart(real, self.references)
        return ranks(embedded, real, references, self.gamma).exp() * len(real)


class RankGAN(TokenPolicyGame):
    """G is paid R_t, the mean rank of completions among real sequences, by policy gradient.

    The reward is R times the number of compared sequences, so that a sequence that ranks as real ones do earns 1; the
    factor changes no minimum. γ is 1 in the authors' program, which ranks completions among each other; here they rank
    among real ones, as in the paper.

    Args:
        components: what the game is made of.
        references: real sequences that all are compared by, up to half a batch; 16 in the paper.
        gamma: γ.
        rollouts: completions for each beginning.
        follow: what the roll-out policy keeps of itself in each update.
        baseline: `none`, `batch` or `moving`.
        summed: sum over the batch instead of its mean.
    """

    def __init__(
        self,
        components: Components,
        references: int,
        gamma: float,
        rollouts: int,
        follow: float,
        baseline: str,
        summed: bool,
    ) -> None:
        require_positive(references=references)
        require_above_zero(gamma=gamma)
        reward = RankReward(rollouts, follow, baseline, summed, length_of(components))
        reward.references, reward.gamma = references, gamma
        super().__init__(components, reward)
        discriminator = self.player("discriminator")
        discriminator.objective = None
        discriminator.add_term("ranking", RankingTerm(references, gamma))
