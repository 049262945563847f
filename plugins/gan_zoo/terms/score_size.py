"""A penalty on large scores."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Game, Pair, Player, Term
from gan_zoo.terms.sides import trained_judges

SIDES = ("real", "fake", "both")


class ScoreSize(Term):
    """E D²: `both` sides are logit squeezing (Kannan et al. 2018, arXiv 1803.06373), `real` alone is the drift penalty.

    The latter keeps a Wasserstein critic from wandering off, with a weight of 0.001 (Karras et al. 2017, arXiv
    1710.10196, appendix A.1).

    Args:
        side: whose scores, `real`, `fake` (generated) or `both`, the sum of the two means.
    """

    def __init__(self, side: str) -> None:
        super().__init__()
        if side not in SIDES:
            raise ValueError(f"side={side!r}: choose {', '.join(SIDES)}")
        self.side = side

    def check(self, game: Game, player: Player) -> None:
        """See that the term reaches a discriminator.

        Raises:
            ConfigError: the player does not update one that judges what it faces.
        """
        trained_judges(self, game, player)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean squared score of the side, or the sum of both."""
        if self.side == "both":
            real, fake = pair.outputs
            return real.logits.square().mean() + fake.logits.square().mean()
        return (pair.real_output if self.side == "real" else pair.fake_output).logits.square().mean()
