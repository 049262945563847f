"""Scores that two further networks hold to two normal distributions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Components, Game, Pair, Player, Term
from gan_zoo.ranges import require_above_zero
from gan_zoo.without_loss import refuse_loss

META = {"real": ("meta_real", 1.0), "fake": ("meta_fake", -1.0)}
"""For each side the network that tells its scores from draws of a normal distribution, and that distribution's mean."""


class MetaTerm(Term):
    """The base of what players of the game pay, by what the further networks say of scores."""

    def taken_for(self, scores: Tensor, side: str) -> Tensor:
        """Return the logits (N,) that scores (N,) are draws of a side's normal distribution."""
        with self.game.autocast():
            logits: Tensor = self.game.network(META[side][0])(scores[:, None])
        return logits.squeeze(1).to(scores.dtype)


class TellsScores(MetaTerm):
    """-E log M(draws) - E log(1 - M(scores)), what a further network M pays.

    Args:
        side: whose scores it is shown.
        std: the deviation of the draws.
    """

    def __init__(self, side: str, std: float) -> None:
        super().__init__()
        self.side = side
        self.std = std

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the cross entropy."""
        output = pair.real_output if self.side == "real" else pair.fake_output
        scores = output.scores.detach()
        draws = META[self.side][1] + self.std * torch.randn_like(scores)
        told = F.softplus(-self.taken_for(draws, self.side)).mean()
        return told + F.softplus(self.taken_for(scores, self.side)).mean()


class SpreadsScores(MetaTerm):
    """-E log M_real(D(x)) - E log M_fake(D(G(z))), what D pays."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the cross entropies of both sides."""
        real, fake = pair.outputs
        told = F.softplus(-self.taken_for(real.scores, "real")).mean()
        return told + F.softplus(-self.taken_for(fake.scores, "fake")).mean()


class SeemsReal(MetaTerm):
    """-E log M_real(D(G(z))), what G pays."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the cross entropy."""
        return F.softplus(-self.taken_for(pair.fake_output.scores, "real")).mean()


class VarianceRegularised(Game):
    """D's scores are to be N(1, std²) on real and N(-1, std²) on generated samples (Grewal et al. 2017).

    Variance Regularizing Adversarial Learning, arXiv 1707.00309, which its authors call out of date. Two further
    networks, `meta_real` and `meta_fake`, learn to tell D's scores from draws of the two distributions, and D to be
    mistaken for them; G is to be given scores that `meta_real` takes for draws. All pay cross entropies, the
    non-saturating ones, which is a reading of the paper. `loss=score_moments` compares the moments instead.

    Args:
        components: what the game is made of.
        std: the deviation of the two normal distributions.
    """

    def __init__(self, components: Components, std: float) -> None:
        require_above_zero(std=std)
        super().__init__(components)
        self.player("discriminator").add_term("scores", SpreadsScores())
        self.player("generator").add_term("scores", SeemsReal())
        for side, (name, _) in META.items():
            self.player(name).add_term("scores", TellsScores(side, std))

    def make_players(self) -> list[Player]:
        """Return D, G and the two further networks, which are on no side and updated after both."""
        return [
            Player("discriminator", ("discriminator",), team="discriminator"),
            Player("generator", ("generator",), team="generator"),
            *(Player(name, (name,)) for name, _ in META.values()),
        ]

    def check(self) -> None:
        """See that the networks are there, and that there is no loss, which nobody would minimise.

        Raises:
            ConfigError: they are not, or there is one.
        """
        refuse_loss(self, "variance_regularised")
        for name, _ in META.values():
            self.network(name)
        super().check()
