"""Players that wait while the other side is too far behind."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Game, Meeting, NextBatch, Player, Schedule, distributed
from gan_zoo.ranges import require_not_negative
from gan_zoo.schedules.both_sides import require_both_sides


class EquilibriumGate(Schedule):
    """All players on one batch; D or G is left out while D's cross entropies say that it is too far ahead.

    With r = -log D(x) and f = -log(1 - D(G(z))), means over the batch: D is not updated if r or f lies below
    equilibrium - margin, G not if r or f lies above equilibrium + margin; if neither would be, both are. It is the rule
    of the authors' program of VAE-GAN (Larsen et al. 2016, arXiv 1512.09300). Whatever the loss, the cross entropies of
    D's logits decide; those of generated samples are averaged over all pairs that D faces.

    Args:
        equilibrium: the cross entropy where neither is ahead; log 2 is 0.69.
        margin: how far from it is too far.
    """

    def __init__(self, equilibrium: float, margin: float) -> None:
        super().__init__()
        require_not_negative(margin=margin)
        self.equilibrium = equilibrium
        self.margin = margin

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game has not both sides."""
        require_both_sides(game, "equilibrium_gate")

    def step(self, game: Game, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step; `real_entropy` and `fake_entropy` are measured, and 1 or 0 for who was updated."""
        discriminators, generators, others = game.teams()
        batch = next_batch()
        meeting = game.meet(batch)
        with torch.no_grad():
            real, fake = self._entropies(meeting.detached(), discriminators)
        trains_d, trains_g = self.opened(real.item(), fake.item())
        measured: dict[str, Tensor] = {}
        for player in discriminators if trains_d else []:
            measured |= player.play(meeting.detached())
        for i, player in enumerate([*(generators if trains_g else []), *others]):
            measured |= player.play(game.meet(batch) if i else meeting)
        gates = {"discriminator_updated": trains_d, "generator_updated": trains_g}
        said = {"real_entropy": real, "fake_entropy": fake}
        return measured | said | {name: real.new_tensor(float(is_open)) for name, is_open in gates.items()}

    def opened(self, real: float, fake: float) -> tuple[bool, bool]:
        """Return whether D and whether G is to be updated, given the cross entropies of real and generated samples."""
        low, high = self.equilibrium - self.margin, self.equilibrium + self.margin
        trains_d = real >= low and fake >= low
        trains_g = real <= high and fake <= high
        return (trains_d, trains_g) if trains_d or trains_g else (True, True)

    def _entropies(self, meeting: Meeting, discriminators: list[Player]) -> tuple[Tensor, Tensor]:
        faced = {name: pair for player in discriminators for name, pair in player.pairs(meeting).items()}
        said = [pair.outputs for pair in faced.values() if pair.has_judge]
        real = torch.stack([F.softplus(-output.scores).mean() for output, _ in said]).mean()
        fake = torch.stack([F.softplus(output.scores).mean() for _, output in said]).mean()
        return distributed.mean(real), distributed.mean(fake)
