"""A third player that judges whole batches."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Components, Game, NextBatch, Player
from gan_zoo.layers import require_positive


class DAN(Game):
    """The two-player game and a player `set_discriminator`, which is updated less often (Li et al. 2017).

    Distributional Adversarial Networks, arXiv 1706.09549. Its objective is a term, `set_adversarial`, which the
    generator is given too; it is on no side, and updated after both, on a batch of its own.

    Args:
        components: what the game is made of.
        every: updates of the generator from one of its updates to the next; 5 in the authors' program.
    """

    def __init__(self, components: Components, every: int) -> None:
        super().__init__(components)
        require_positive(every=every)
        self.every = every

    def make_players(self) -> list[Player]:
        """Return D, G and the one that judges batches."""
        return [*super().make_players(), Player("set_discriminator", ("set_discriminator",))]

    def teams(self) -> tuple[list[Player], list[Player], list[Player]]:
        """Return the players whom a schedule updates in every step."""
        discriminators, generators, others = super().teams()
        return discriminators, generators, [player for player in others if player.name != "set_discriminator"]

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, and update the one that judges batches if its turn has come."""
        generator, before = self.player("generator"), self.player("generator").updates
        measured = super().step(next_batch)
        if generator.updates // self.every > before // self.every:
            measured |= self.player("set_discriminator").play(self.meet(next_batch(), graph=False))
        return measured
