"""MAD-GAN (Ghosh et al. 2017, arXiv 1704.02906): the discriminator tells which of several generators made a sample."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import MAIN, Components, ConfigError, DiscriminatorOutput, Game, Pair, Player, Term, TermPlan
from gan_zoo.heads import ClassScores, say_more
from gan_zoo.priors.components import component_of, require_components

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
    the game of two players, of a logit that is a difference of two scores. Left out: the similarity of samples in the
    appendix.
    """

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        self.components = require_components("mad_gan", self.prior).components
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

    def make_players(self) -> list[Player]:
        """Return D, whose loss for generated samples is a term, and G."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator_real"),
            Player("generator", ("generator",), "generator", "generator"),
        ]


def _told(_: nn.Module, said: DiscriminatorOutput) -> DiscriminatorOutput:
    scores = said.logits
    return said._replace(logits=real_against_all(scores), heads={**said.heads, SCORES: scores})
