"""MAD-GAN (Ghosh et al. 2017, arXiv 1704.02906): the discriminator tells which of several generators made a sample."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    MAIN,
    Batch,
    Components,
    ConfigError,
    DiscriminatorOutput,
    Game,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
)
from gan_zoo.heads import ClassScores, say_more
from gan_zoo.priors.components import Components as Turns
from gan_zoo.priors.components import component_of, require_components
from gan_zoo.ranges import require_above_zero

SCORES = "generator_id"
"""The head that scores real samples (first) and each generator."""


def real_against_all(scores: Tensor) -> Tensor:
    """Return the logit (N,) of being real, s_0 - log Σ_i exp(s_i), of scores (N, K + 1)."""
    logit: Tensor = scores[:, 0] - scores[:, 1:].logsumexp(1)
    return logit


class TellGenerators(Term):
    """-Σ_i E log p_i(G_i(z)), over K generators (equation 2): K times the mean over a batch in which they take turns.

    Args:
        components: K.
    """

    def __init__(self, components: int) -> None:
        super().__init__()
        self.components = components

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the cross entropy of the generators' numbers."""
        scores = pair.fake_output.heads[SCORES].to(pair.fake_output.logits.dtype)
        return self.components * F.cross_entropy(scores, component_of(pair.latent) + 1)


class MADGAN(Game):
    """K generators against a discriminator of K + 1 classes: real, or made by the i-th (section 3).

    D minimises -E log p_real(x) - Σ_i E log p_i(G_i(z)). Its logit is s_real - log Σ_i exp(s_i), whose sigmoid is
    p_real, so that each generator minimises its loss as in any game: -E log p_real(G_i(z)) with `loss=nonsaturating`,
    as in the authors' program, or E log(1 - p_real(G_i(z))) with `minimax`, as in the paper. With one generator it is
    the game of two players, of a logit that is a difference of two scores. The similarity of samples in the appendix is
    `MADGANSim`. In training all generators are given the same noise, as in the authors' program.
    """

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        self.turns = require_components("mad_gan", self.prior)
        self.components = self.turns.components
        critic = self.discriminator
        if critic.patches or not isinstance(critic.output, nn.Linear):
            raise ConfigError(
                "game=mad_gan puts scores of all generators in the place of the discriminator's last layer, and that "
                f"of {type(critic).__name__} is not linear"
            )
        critic.output = ClassScores(critic.output.in_features, self.components + 1, "mad_gan")
        say_more(critic, _told)
        self.player("discriminator").add_term(
            "generators", TellGenerators(self.components), plan=TermPlan(pairs=(MAIN,))
        )

    def latent_for(self, batch: Batch) -> Latent:
        """Return latents that give all generators the same noise."""
        return self.turns.in_common(super().latent_for(batch))

    def make_players(self) -> list[Player]:
        """Return D, whose loss for generated samples is a term, and G."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator_real"),
            Player("generator", ("generator",), "generator", "generator"),
        ]


def _told(_: nn.Module, said: DiscriminatorOutput) -> DiscriminatorOutput:
    scores = said.logits
    return said._replace(logits=real_against_all(scores), heads={**said.heads, SCORES: scores})


def competition(scores: Tensor, features: Tensor) -> Tensor:
    """Return the mean over pairs of generators i ≠ j of [D(G_j(z)) + cos(ψ_i, ψ_j) - D(G_i(z))]+, as i sees it.

    What other generators make has no gradient in it.

    Args:
        scores: the logits (K, N) of D of what K generators make of the same noise.
        features: ψ of the same (K, N, A).
    """
    chance = scores.sigmoid()
    alike = F.cosine_similarity(features[:, None], features.detach()[None], dim=3)
    short = (chance.detach()[None] + alike - chance[:, None]).clamp(min=0)
    others = ~torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    return short[others].mean()


class Compete(Term):
    """Has each generator be taken for real by more than any other, by as much as their samples are alike.

    Args:
        game: whose generators they are.
        prior: of the noise that they share.
    """

    def __init__(self, game: Game, prior: Turns) -> None:
        super().__init__()
        # Kept in a tuple: the game holds its players and their terms.
        self._shared = (game, prior)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the competition of what all generators make of a part of the noise, a batch together."""
        game, prior = self._shared
        count = max(len(pair.latent.z) // prior.components, 1)
        latent = pair.latent.part(slice(count))
        said = []
        for component in range(prior.components):
            own = prior.choose(latent, torch.full((count,), component, device=latent.z.device))
            said.append(pair.judge(game.generate(own), own.labels))
        features = torch.stack([one.features[-1].flatten(1) for one in said])
        return competition(torch.stack([one.logits for one in said]), features.to(said[0].logits.dtype))


class MADGANSim(Game):
    """K generators against a discriminator of two classes, each ahead of the others where they are alike (appendix B).

    Each generator's loss gains `similarity` times [D(G_j(z)) + Δ(ψ(G_i(z)), ψ(G_j(z))) - D(G_i(z))]+, the mean over the
    others: a generator that makes what another makes has to make it better, and none that does something of its own.
    Known in outline: D is a probability, Δ the cosine, ψ the last features of D in the place of a pretrained network's,
    and what the others make has no gradient, all of which is our reading.

    Args:
        components: the networks and the rest.
        similarity: the weight.
    """

    def __init__(self, components: Components, similarity: float) -> None:
        super().__init__(components)
        prior = require_components("mad_gan_sim", self.prior)
        if prior.components < 2:
            raise ConfigError("game=mad_gan_sim has generators compete: prior.components must be at least 2")
        require_above_zero(similarity=similarity)
        if self.loss is None or not self.loss.probabilistic:
            raise ConfigError(
                "game=mad_gan_sim compares probabilities of being real, and the loss is "
                f"{type(self.loss).__name__}: set loss=nonsaturating"
            )
        plan = TermPlan(similarity, pairs=(MAIN,))
        self.player("generator").add_term("competition", Compete(self, prior), plan=plan)
