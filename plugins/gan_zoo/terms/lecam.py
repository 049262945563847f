"""LeCam regularisation."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Game, Pair, Player, Term, distributed
from gan_zoo.ranges import require_below_one
from gan_zoo.terms.sides import name_of, trained_judges

SIDES = ("real", "fake")


class LeCam(Term):
    """E [D(x) - α_F]₊² + E [α_R - D(G(z))]₊² (Tseng et al. 2021, arXiv 2104.03310), for small data sets.

    α_R and α_F are moving averages of the scores of real and of generated samples, kept for each discriminator that
    the player faces. Brackets are positive parts, as in the authors' program; the averages begin at the first batch's
    scores.

    Args:
        decay: the share of the averages that is kept in each update.
        start: updates before which the term is 0.
    """

    real: Tensor
    fake: Tensor

    def __init__(self, decay: float, start: int) -> None:
        super().__init__()
        require_below_one(decay=decay)
        if start < 1:
            raise ValueError(f"start={start}: it must be at least 1, as the first update has no averages")
        self.decay = decay
        self.start = start
        self.judges: list[str] = []
        self.register_buffer("real", torch.zeros(1))
        self.register_buffer("fake", torch.zeros(1))

    def check(self, game: Game, player: Player) -> None:
        """See that the term reaches a discriminator, and give each an average of its own.

        Raises:
            ConfigError: the player does not update one that judges what it faces.
        """
        trained_judges(self, game, player)
        self.judges = game.judges_of(player, name_of(self, player))
        for side in SIDES:
            self.register_buffer(side, torch.zeros(len(self.judges), device=game.device))

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return how far the scores lie beyond the other side's average."""
        real, fake = (said.scores for said in pair.outputs)
        if player.updates < self.start:
            return 0.0 * real.sum()
        judge = self._place(pair)
        return F.relu(real - self.fake[judge]).square().mean() + F.relu(self.real[judge] - fake).square().mean()

    def after_update(self, pair: Pair, player: Player) -> None:
        """Let the averages follow; until the term begins they are the last batch's."""
        # `updates` has counted this one already.
        kept = self.decay if player.updates > self.start else 0.0
        for side, logits in pair.logits().items():
            self.get_buffer(side)[self._place(pair)].lerp_(distributed.mean(logits.mean()), 1 - kept)

    def _place(self, pair: Pair) -> int:
        return self.judges.index(pair.judged_by_network or "") if len(self.judges) > 1 else 0

    def update_key(self, updates: int) -> Hashable:
        """Return whether the term has begun, and whether its averages have."""
        return updates < self.start, updates + 1 > self.start

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return both averages, of several discriminators by their names."""
        ends = [f"_{judge}" for judge in self.judges] if len(self.judges) > 1 else [""]
        return {f"{side}{end}": of for side in SIDES for end, of in zip(ends, self.get_buffer(side), strict=True)}
