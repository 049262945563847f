"""The VAE's divergence of codes from the prior."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import ConfigError, Game, Pair, Player, Term
from gan_zoo.priors.normal import Normal


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(m, exp(s)) || N(0, 1)) = ½ Σ exp(s) - (1 + s) + m² for each sample (N,), in nats."""
    return 0.5 * (log_variance.exp() - (1 + log_variance) + mean.square()).sum(1)


class KLDivergence(Term):
    """KL(q(z|x) || p(z)), p standard normal (Kingma & Welling 2014, arXiv 1312.6114, appendix B)."""

    def check(self, game: Game, player: Player) -> None:
        """Raise ConfigError if the game has no encoder, or another prior."""
        if "encoder" not in game.networks:
            raise ConfigError(f"kl_divergence is about an encoder's codes, and {type(game).__name__} has no encoder")
        if not isinstance(game.prior, Normal):
            raise ConfigError(
                f"kl_divergence measures the distance to a standard normal prior, not to {type(game.prior).__name__}: "
                "set prior=normal"
            )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's samples.

        Raises:
            ConfigError: the pair's latents were not drawn by an encoder.
        """
        code = pair.latent.code
        if not {"mean", "log_variance"} <= code.keys():
            raise ConfigError(
                f"kl_divergence is about codes drawn around a mean, and {type(self.game).__name__} draws none: leave "
                "out terms.kl_divergence"
            )
        return kl_to_standard_normal(code["mean"], code["log_variance"]).mean()
