"""The mutual information between codes and samples."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import ConfigError, Game, Pair, Player, Term
from gan_zoo.codes import has_q
from gan_zoo.packs import refuse_packs
from gan_zoo.priors.codes import Codes


class MutualInformation(Term):
    """-λ L_I: samples from which Q can tell the codes they were made from (Chen et al. 2016, equations 5 and 6).

    L_I = E log Q(c|x) + H(c) is a lower bound of the mutual information I(c; G(z, c)), in nats. Q is
    the network `q`, or else the discriminator's head `q`. Codes that a game ties to labels, its `named_codes`, have no
    part in it.

    Args:
        categorical: λ of the categorical codes.
        continuous: λ of the continuous codes.
    """

    def __init__(self, categorical: float, continuous: float) -> None:
        super().__init__()
        self.scales = {"categorical": categorical, "continuous": continuous}

    def check(self, game: Game, player: Player) -> None:
        """Raise ConfigError if there are no codes, or no Q to tell them."""
        require_codes(game, "mutual_information")
        if "q" not in game.networks:
            refuse_packs(game, "discriminator", "mutual_information")

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return -λ L_I, summed over the codes."""
        game = self.game
        assert isinstance(game.prior, Codes)
        if "q" in game.networks:
            with game.autocast():
                q = game.network("q")(pair.fake)
        else:
            q = pair.fake_output.heads["q"]
        bounds, named = game.prior.codes.bounds(q, pair.latent.code), getattr(game, "named_codes", ())
        weighed = (self.scales[name.partition("_")[0]] * bound for name, bound in bounds.items() if name not in named)
        return -sum(weighed, q.new_zeros(()))


def require_codes(game: Game, what: str) -> None:
    """Raise ConfigError, naming both parts, if a game's latents have no codes or nothing tells them from samples."""
    if not isinstance(game.prior, Codes):
        raise ConfigError(
            f"{what} needs structured codes, which {type(game.prior).__name__} has none of: set prior=codes"
        )
    if not has_q(game):
        raise ConfigError(f"{what} needs a network q or a discriminator with a head q: add 'strategy=[q_head]'")
