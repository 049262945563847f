"""MIX+GAN (Arora et al. 2017, arXiv 1703.00573): mixtures with weights that are learned, on both sides."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import Batch, Components, ConfigError, Game, Latent, Pair, Player, Term, TermPlan
from gan_zoo.priors.components import require_components
from gan_zoo.ranges import require_positive
from gan_zoo.several import critics_in, every_pair, pair_name


class MixingWeights(nn.Module):
    """w = softmax(α), the weights of a mixture.

    Args:
        components: T, how many there are.
    """

    def __init__(self, components: int) -> None:
        super().__init__()
        require_positive(components=components)
        self.scores = nn.Parameter(torch.zeros(components))

    def forward(self) -> Tensor:
        """Return the weights (T,), which sum to 1."""
        return self.scores.softmax(0)


class Evenness(Term):
    """-(1/T) Σ log w_i, least, log T, where all weights are the same (section 5).

    Args:
        network: the name of the weights' network.
    """

    def __init__(self, network: str) -> None:
        super().__init__()
        self.network = network

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return how uneven the weights are."""
        weights: Tensor = self.game.network(self.network)()
        return -weights.log().mean()


class MixGAN(Game):
    """T generators, a mixture, against T discriminators, each side weighted by weights that it learns (section 5).

    The payoff is F = Σ_ij w^g_i w^d_j V(D_j, G_i). The discriminators and their weights (`mixing_discriminator`) lower
    -F, or what the loss has in its place, the generators and theirs (`mixing_generator`) F, both with c times an
    evenness of their weights. Each G_i makes a whole batch of the same noise. Samples are drawn of G_i with probability
    w^g_i. With T = 1 it is the game of two players, to the bit.

    Args:
        components: what the game is made of.
        evenness: c.
    """

    def __init__(self, components: Components, evenness: float) -> None:
        super().__init__(components)
        self.several = require_components("mix_gan", self.prior)
        self.critics_faced = critics_in(self.networks, "mix_gan")
        for team, wanted in (("generator", self.several.components), ("discriminator", len(self.critics_faced))):
            if wanted == 1:
                continue
            name = f"mixing_{team}"
            found = len(self.network(name)())
            if found != wanted:
                raise ConfigError(f"networks.{name}.components={found}, and the game has {wanted} of that side")
            plan = TermPlan(evenness, pairs=(pair_name(0, 0),))
            self.player(team).add_term("evenness", Evenness(name), plan=plan)

    def make_players(self) -> list[Player]:
        """Return the discriminators and their weights, and the generators and theirs."""
        prior = require_components("mix_gan", self.prior)
        critics = critics_in(self.networks, "mix_gan")
        pairs = [pair_name(i, j) for i in range(prior.components) for j in range(len(critics))]
        own = {
            "discriminator": (*critics, *(["mixing_discriminator"] if len(critics) > 1 else [])),
            "generator": ("generator", *(["mixing_generator"] if prior.components > 1 else [])),
        }
        return [Player(team, of, team, dict.fromkeys(pairs, team), self.combine) for team, of in own.items()]

    def weights(self, team: str) -> Tensor:
        """Return the weights (T,) of one side."""
        name = f"mixing_{team}"
        found: Tensor = self.network(name)() if name in self.networks else torch.ones(1, device=self.device)
        return found

    def combine(self, losses: Tensor) -> Tensor:
        """Return Σ_ij w^g_i w^d_j V_ij of losses (T T,), generator by generator."""
        of_g, of_d = self.weights("generator"), self.weights("discriminator")
        return (of_g[:, None] * of_d * losses.view(len(of_g), len(of_d))).sum()

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return what each generator makes before each discriminator."""
        return every_pair(self, self.several, self.critics_faced, batch, latent)

    def latent(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Latent:
        """Draw n latents, whose components are drawn with the weights of the generators."""
        latent = super().latent(n, labels, generator)
        if self.several.components == 1:
            return latent
        weights = self.weights("generator").detach()
        source = generator.device if generator is not None else weights.device
        drawn = torch.multinomial(weights.to(source), n, replacement=True, generator=generator)
        return self.several.choose(latent, drawn.to(latent.z.device))
