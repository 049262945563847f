"""The repelling regulariser of EBGAN."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Game, Pair, Player, Term
from gan_zoo.losses.vectors import vectors
from gan_zoo.terms.sides import require_generator


class PullingAway(Term):
    """The mean squared cosine of two generated samples' codes (Zhao et al. 2017, arXiv 1609.03126, section 2.4).

    Codes are the discriminator's head `vector`, or its last features.
    """

    def check(self, game: Game, player: Player) -> None:
        """See that the term reaches a generator.

        Raises:
            ConfigError: the player is not on the generator's side.
        """
        require_generator(self, game, player)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pairs of this pair's generated samples."""
        codes = F.normalize(vectors("pulling_away", pair.fake_output), dim=1)
        n = len(codes)
        cosines = codes @ codes.T
        return (cosines.square().sum() - cosines.diagonal().square().sum()) / (n * (n - 1))
