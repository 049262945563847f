"""The loss of UOTM."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import DiscriminatorOutput, SeparableLoss

CONJUGATES: dict[str, Callable[[Tensor], Tensor]] = {
    "kl": torch.expm1,
    "softplus": lambda t: 2 * F.softplus(t) - 2 * math.log(2),
    "balanced": lambda t: t,
}
"""Ψ* by divergence; all have the slope 1 at 0."""


class SemiDualTransport(SeparableLoss):
    """The semi-dual of unbalanced optimal transport (Choi et al. 2023, arXiv 2305.14777, Algorithm 1).

    With the potential v, D's score, and a cost c of making a sample of its source, D lowers E Ψ*(v(G(z)) - c) +
    E Ψ*(-v(x)) and G lowers E[c - v(G(z))]. The cost is `strategy=[transport_cost]`, which has D say v - c of generated
    samples; without it c is 0.

    Args:
        divergence: what mass may be left out for: `kl`, Ψ*(t) = exp(t) - 1; `softplus`, 2 log(1 + exp t) - 2 log 2; or
            `balanced`, t, where all mass is transported and without a cost D is a Wasserstein critic.
    """

    def __init__(self, divergence: str) -> None:
        super().__init__()
        if divergence not in CONJUGATES:
            raise ValueError(f"divergence={divergence!r}: choose one of {', '.join(CONJUGATES)}")
        self.conjugate = CONJUGATES[divergence]

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return E Ψ*(-v(x))."""
        return self.conjugate(-real.logits).mean()

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return E Ψ*(v(G(z)) - c)."""
        return self.conjugate(fake.logits).mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return E[c - v(G(z))]."""
        return -fake.logits.mean()
