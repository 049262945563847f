"""LeCam regularisation (Tseng et al. 2021, arXiv 2104.03310): scores are held near averages of the other side's."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gan_framework.api import Pair, Player, Term, distributed


class LeCam(Term):
    """E (D(x) - α_F)² + E (D(G(z)) - α_R)², α_R and α_F moving averages of the scores (equation 5).

    Args:
        decay: the share of the averages that is kept in each update.
    """

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("real", torch.tensor(0.0))
        self.register_buffer("fake", torch.tensor(0.0))

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance of the scores from the other side's average."""
        real, fake = pair.outputs
        return (real.scores - self.fake).square().mean() + (fake.scores - self.real).square().mean()

    def after_update(self, pair: Pair, player: Player) -> None:
        """Let the averages follow."""
        for side, logits in pair.logits().items():
            self.get_buffer(side).lerp_(distributed.mean(logits.mean()), 1 - self.decay)

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return both averages."""
        return {"real": self.real, "fake": self.fake}
