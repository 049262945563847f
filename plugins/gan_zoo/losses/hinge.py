"""The hinge loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import DiscriminatorOutput, SeparableLoss
from gan_zoo.ranges import require_below_one


class Hinge(SeparableLoss):
    """D is pushed only until it is right by a margin of 1 (Lim & Ye 2017, arXiv 1705.02894).

    In this form it is the loss of SNGAN (Miyato et al. 2018, arXiv 1802.05957, equations 16 and 17).
    """

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return E max(0, 1 - D(x))."""
        return F.relu(1 - real.logits).mean()

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return E max(0, 1 + D(G(z)))."""
        return F.relu(1 + fake.logits).mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E D(G(z))."""
        return -fake.logits.mean()


class RandomHinge(Hinge):
    """The hinge loss with a margin that is drawn anew for every logit, as in FastGAN's program (arXiv 2101.04775).

    E max(0, m - D(x)) + E max(0, m + D(G(z))), m uniform on [low, 1].

    Args:
        low: the smallest margin.
    """

    exempt: ClassVar[Mapping[str, str]] = {
        name: "two computations draw different margins" for name in ("gives_scalars", "halves_add_up")
    }

    def __init__(self, low: float) -> None:
        super().__init__()
        require_below_one(low=low)
        self.low = low

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return E max(0, m - D(x))."""
        return F.relu(self._margin(real.logits) - real.logits).mean()

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return E max(0, m + D(G(z)))."""
        return F.relu(self._margin(fake.logits) + fake.logits).mean()

    def _margin(self, logits: Tensor) -> Tensor:
        return self.low + (1 - self.low) * torch.rand_like(logits)
