"""Bayesian GAN (Saatci & Wilson 2017, arXiv 1705.09558): samples of the posterior over G's and D's weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gan_framework.api import Batch, Components, Game, Latent, Pair, Player, Term, TermPlan
from gan_zoo.priors.components import require_components
from gan_zoo.ranges import require_above_zero
from gan_zoo.several import critics_in, every_pair, pair_name


class WeightPrior(Term):
    """‖θ‖² / (2 σ²) / N: the negative logarithm of a normal prior on a player's weights, a sample's share of it.

    Args:
        deviation: σ.
        samples: N, the number of samples of the data.
    """

    def __init__(self, deviation: float, samples: int) -> None:
        super().__init__()
        require_above_zero(deviation=deviation)
        self.scale = 1 / (2 * deviation**2 * samples)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the prior's part of what the player minimises."""
        return self.scale * torch.stack([parameter.square().sum() for parameter in player.trained]).sum()


class BayesianGAN(Game):
    """J_g generators, a mixture, and J_d discriminators, each a sample of a posterior (section 2).

    log p(θ_g | θ_d) is averaged over what is drawn of the other side, and so is log p(θ_d | θ_g): each generator
    minimises the mean of its losses before all discriminators, each discriminator that of its losses before all
    generators, and both the prior's part. With `optimizer=sghmc` the steps are samples of the posterior. That
    logarithms are averaged, and no probabilities, is our reading; the authors' program minimises a soft maximum of the
    losses. One of each without a prior is the game of two players, to the bit. Samples come from all generators alike.

    Args:
        components: what the game is made of.
        deviation: σ of the weights' normal prior; null for none.
    """

    def __init__(self, components: Components, deviation: float | None) -> None:
        super().__init__(components)
        self.several = require_components("bayesian_gan", self.prior)
        self.critics_faced = critics_in(self.networks, "bayesian_gan")
        if deviation is not None:
            for team in ("discriminator", "generator"):
                prior = WeightPrior(deviation, max(self.data.size, 1))
                self.player(team).add_term("prior", prior, plan=TermPlan(pairs=(pair_name(0, 0),)))

    def make_players(self) -> list[Player]:
        """Return all discriminators as one player, and all generators."""
        prior = require_components("bayesian_gan", self.prior)
        critics = critics_in(self.networks, "bayesian_gan")
        pairs = [pair_name(i, j) for i in range(prior.components) for j in range(len(critics))]

        def over_discriminators(losses: Tensor) -> Tensor:
            return losses.view(prior.components, len(critics)).mean(1).sum()

        def over_generators(losses: Tensor) -> Tensor:
            return losses.view(prior.components, len(critics)).mean(0).sum()

        own: Mapping[str, tuple[str, ...]] = {"discriminator": tuple(critics), "generator": ("generator",)}
        combine = {"discriminator": over_generators, "generator": over_discriminators}
        return [Player(team, of, team, dict.fromkeys(pairs, team), combine[team]) for team, of in own.items()]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return what each generator makes before each discriminator."""
        return every_pair(self, self.several, self.critics_faced, batch, latent)
