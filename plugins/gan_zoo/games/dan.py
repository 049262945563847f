"""A third player that judges whole batches."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Components, Game, NextBatch, Player
from gan_zoo.ranges import require_positive

JUDGE = "set_discriminator"
"""The player, and the network, that judges batches."""


class DAN(Game):
    """The two-player game and a player `set_discriminator`, which is updated less often (Li et al. 2017).

    Distributional Adversarial Networks, arXiv 1706.09549. Its objective is a term, `set_adversarial`, which the
    generator is given too; it is on no side, and updated between both, on the discriminator's batch, as in the authors'
    program.

    Args:
        components: what the game is made of.
        every: updates of the generator from one of its updates to the next; 5 in the authors' program.
    """

    def __init__(self, components: Components, every: int) -> None:
        super().__init__(components)
        require_positive(every=every)
        self.every = every
        self._turn: bool | None = None

    def make_players(self) -> list[Player]:
        """Return D, G and the one that judges batches."""
        return [*super().make_players(), Player(JUDGE, (JUDGE,))]

    def teams(self) -> tuple[list[Player], list[Player], list[Player]]:
        """Return the players whom a schedule updates in this step, the one that judges batches after D.

        Outside of steps it is on neither side, as strategies see it.
        """
        discriminators, generators, others = super().teams()
        if self._turn is None:
            return discriminators, generators, others
        between = [player for player in others if player.name == JUDGE and self._turn]
        return [*discriminators, *between], generators, [player for player in others if player.name != JUDGE]

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, in which the one that judges batches is updated if its turn has come."""
        self._turn = (self.player("generator").updates + 1) % self.every == 0
        try:
            return super().step(next_batch)
        finally:
            self._turn = None
